"""The stream run's work: from the queue's notifications to both stores, in micro-batches."""
