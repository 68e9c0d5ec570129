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
    assert set(vars(connections)) == {"settings", "retries", "_aws_retries"}
    connections.close()


def test_bundles_share_the_connections_that_they_are_made_of() -> None:
    with closing(Connections(SETTINGS)) as connections:
        one, other = IngestStores(connections), TtStores(connections)
        assert one.objects is other.objects
        assert one.latest is not other.latest
        assert one.latest.retries is other.coverage.retries is connections.retries


def test_patient_stores_have_one_bound_and_quick_ones_wait_for_aws_alone_and_briefly() -> None:
    patient, quick = Connections(SETTINGS), Connections(SETTINGS, patient=False)
    assert patient.retries is patient.aws_retries
    assert patient.retries.seconds == 60
    assert (quick.retries.seconds, quick.aws_retries.seconds) == (0, BRIEF_SECONDS)
    hasty = Connections(SETTINGS.changed({"store_retry_seconds": 0.1}), patient=False)
    assert hasty.aws_retries.seconds == 0.1
