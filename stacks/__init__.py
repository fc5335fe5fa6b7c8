"""Deployable reference architectures, one per file: only wiring."""
