"""SQS: the queue of the bucket's notifications, and its dead letters."""
