"""What the monitor needs on AWS: the topic of the notices."""

from collections.abc import Sequence

from trade_assets.settings import Settings
from trade_assets.stores.resource_kinds import Resource, Topic


def resources(settings: Settings) -> Sequence[Resource]:
    """The topic; who subscribes to it is the desk's matter."""
    return (Topic(name=settings.alarms_topic),)
