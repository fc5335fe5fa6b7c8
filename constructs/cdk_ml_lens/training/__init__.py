"""Training: from a versioned dataset to a registered model version, through a gate."""
