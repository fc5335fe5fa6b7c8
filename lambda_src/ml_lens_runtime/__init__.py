"""Runtime of the Lambda handlers: standard library and boto3 only, no import of the construct library."""
