"""Networks without a way to the internet, and the private ways to AWS services that they need."""
