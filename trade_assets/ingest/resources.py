"""What every ingest needs on AWS: the bucket of all bytes, the history, and the ledger."""

from collections.abc import Sequence

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.ledger import GENERATION_KEY
from trade_assets.stores.expiry import EXPIRES_AT
from trade_assets.stores.resource_kinds import Bucket, Resource, Table


def resources(settings: Settings) -> Sequence[Resource]:
    """The bucket and the tables."""
    return (
        Bucket(name=settings.bucket, versioned=True),
        Table(name=settings.history_table, expiry_attribute=EXPIRES_AT),
        Table(
            name=settings.ledger_table,
            expiry_attribute=EXPIRES_AT,  # of the local stack's lines alone
            generation_key=GENERATION_KEY,
        ),
    )
