"""Patterns floor: constructs that close a loop by passing objects to each other."""
