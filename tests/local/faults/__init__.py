"""The fault suite on the laptop cloud, small."""
