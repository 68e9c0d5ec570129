"""The local stack notices that data begin earlier than its code server has partitions for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trade_assets.local import loaded_watch
from trade_assets.local.loaded_watch import LoadedWatch
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores


@pytest.mark.integration
def test_it_says_once_that_older_data_have_landed(
    local_parts: LocalParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_watch, "LOOK_EVERY_SECONDS", 0.0)
    settings = local_parts.settings(tmp_path / "home", partitions_start=None)
    provision(settings)
    mark, watch = Stores(settings).first_hour, LoadedWatch(settings)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert watch.moved_back() is None  # nothing is started yet
    watch.started()
    assert watch.moved_back() is None
    older = hour - timedelta(days=3)
    mark.note(older)
    assert watch.moved_back() == older
    assert watch.moved_back() is None
