"""The stores: S3 objects and queue, DynamoDB history and ledger, Redis latest. No Dagster here."""
