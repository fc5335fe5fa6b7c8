"""Registry: model versions, their artifacts, manifests and approvals."""
