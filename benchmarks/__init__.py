"""Ratios, never seconds: each compares two things measured in the same run on the same machine."""
