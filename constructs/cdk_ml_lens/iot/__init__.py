"""IoT floor: fleets and their identity, rules that score telemetry, and what follows from a score."""
