"""The queue consumer and its window: from notifications to both stores, in micro-batches."""
