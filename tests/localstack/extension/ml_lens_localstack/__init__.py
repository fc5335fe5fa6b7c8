"""What LocalStack's free engine lacks and the stacks of cdk-ml-lens use; runs inside LocalStack's process."""
