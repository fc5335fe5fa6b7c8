"""Scripts that AWS Glue starts."""
