"""The registry of snapshot kinds."""

from trade_assets.tt.datasets import SNAPSHOTS


def test_the_registry() -> None:
    assert list(SNAPSHOTS) == ["tt/orders", "tt/tt_fills", "tt/positions", "tt/instruments"]
    assert [item.kind for item in SNAPSHOTS.values()] == [
        "orders",
        "fills",
        "positions",
        "instruments",
    ]
    assert [item.name for item in SNAPSHOTS.values() if item.replaced] == ["orders", "positions"]


def test_no_own_column_hides_one_that_stores_add() -> None:
    reserved = {"pk", "sk", "expires_at"}
    for item in SNAPSHOTS.values():
        common = len(item.record_schema) - len(item.schema) - 1
        assert not item.schema.keys() & {*list(item.record_schema)[:common], *reserved, "extra"}
