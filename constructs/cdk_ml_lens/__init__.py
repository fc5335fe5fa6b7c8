"""Constructs for the AWS Well-Architected Machine Learning Lens."""
