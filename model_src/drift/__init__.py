"""Drift statistics: a baseline of a data set, and captured traffic judged against it at a stated false-alarm rate."""
