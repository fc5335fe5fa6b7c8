"""Monitoring of models: baselines, drift, quality."""
