"""The TT API as a resource: only a slot's run has it; assets and their reruns never do."""

from collections.abc import Iterator

import dagster as dg

from trade_assets.settings import Settings
from trade_assets.stores.redis.client import IMPATIENT_SECONDS, connect, disconnect
from trade_assets.tt.client.tt_client import TtClient


def tt_resource(settings: Settings) -> dg.ResourceDefinition:
    """The client, made when a run begins that requires it; nothing is asked by that."""

    @dg.resource(description="The TT REST API, behind its protection.")
    def tt(_: dg.InitResourceContext) -> Iterator[TtClient]:
        redis_client = connect(settings, IMPATIENT_SECONDS)
        client = TtClient(settings, redis_client)
        try:
            yield client
        finally:
            client.close()
            disconnect(redis_client)

    return tt
