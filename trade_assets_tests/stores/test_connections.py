"""Connections: made when used, shared by bundles, and as patient as they should be."""

from contextlib import closing

from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.settings import load_settings
from trade_assets.stores.connections import BRIEF_SECONDS, Connections
from trade_assets.tt.tt_stores import TtStores

SETTINGS = load_settings(store_retry_seconds=60)


def test_nothing_is_connected_before_it_is_used() -> None:
    connections = Connections(SETTINGS)
    TtStores(connections)
    assert set(vars(connections)) == {
        "settings",
        "redis_retries",
        "dynamodb_retries",
        "file_retries",
    }
    connections.close()


def test_bundles_share_the_connections_that_they_are_made_of() -> None:
    with closing(Connections(SETTINGS)) as connections:
        one, other = IngestStores(connections), TtStores(connections)
        assert one.objects is other.objects
        assert one.latest is not other.latest
        assert one.latest.retries is other.coverage.retries is connections.redis_retries


def bounds(connections: Connections) -> tuple[float, float, float]:
    """Seconds for which Redis, DynamoDB, and the bucket are tried."""
    return (
        connections.redis_retries.seconds,
        connections.dynamodb_retries.seconds,
        connections.file_retries.seconds,
    )


def test_stores_are_tried_for_as_long_as_their_users_can_wait() -> None:
    assert bounds(Connections(SETTINGS)) == (60, 60, 60)
    assert bounds(Connections(SETTINGS, owing=True)) == (BRIEF_SECONDS, BRIEF_SECONDS, 60)
    assert bounds(Connections(SETTINGS, patient=False)) == (0, BRIEF_SECONDS, BRIEF_SECONDS)
    hasty = Connections(SETTINGS.changed({"store_retry_seconds": 0.1}), patient=False)
    assert bounds(hasty) == (0, 0.1, 0.1)
