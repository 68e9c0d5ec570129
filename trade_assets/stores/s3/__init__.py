"""S3: the one bucket and its objects."""
