"""The feature kernel: pure functions over one device's series, the same on one machine and on Spark."""
