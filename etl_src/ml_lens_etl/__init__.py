"""The engines around the kernel: what to read, who computes it, the gate, and the switch to a new version."""
