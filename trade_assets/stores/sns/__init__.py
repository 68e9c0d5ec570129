"""SNS: topics that messages are published to."""
