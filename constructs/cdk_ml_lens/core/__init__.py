"""The ground floor: errors, removal policy, assets, functions, keys, buckets, alarms, references."""
