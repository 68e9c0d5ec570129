"""What the TT account needs on AWS: the secret with its application key."""

from collections.abc import Sequence

from trade_assets.settings import Settings
from trade_assets.stores.resource_kinds import Resource, Secret


def resources(settings: Settings) -> Sequence[Resource]:
    """The secret: a person's on AWS, which the platform never writes there."""
    return (Secret(name=settings.tt_secret_name, fields=("key", "secret")),)
