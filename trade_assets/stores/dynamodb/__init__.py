"""DynamoDB: the history of every record, and the ledger of what was ingested."""
