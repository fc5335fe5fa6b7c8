"""Hosting floor: models, variants and endpoints on Amazon SageMaker AI."""
