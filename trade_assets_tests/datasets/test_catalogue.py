"""The catalogue says of every data set what the registry says."""

import pytest

from trade_assets.datasets.catalogue import FILE, catalogue, catalogue_bytes, entry_named
from trade_assets.datasets.registry import all_datasets
from trade_assets.errors import UnknownFeedError


def test_the_file_is_that_of_the_registry() -> None:
    """Else: `python -m trade_assets.datasets.catalogue` writes it anew."""
    assert FILE.read_bytes() == catalogue_bytes()


def test_an_entry_says_what_its_data_set_says() -> None:
    assert list(catalogue()) == list(all_datasets())
    for path, dataset in all_datasets().items():
        entry = catalogue()[path]
        assert (entry.path, entry.title, entry.replaced) == (path, dataset.title, dataset.replaced)
        assert list(entry.columns.items()) == list(dataset.columns.items())
        assert list(entry.column_kinds.items()) == list(dataset.column_kinds.items())
        assert entry.ids == dataset.ids


def test_a_data_set_is_found_by_path_or_by_a_name_that_one_source_has() -> None:
    assert entry_named("actant/spot_risk") is entry_named("spot_risk")
    with pytest.raises(UnknownFeedError, match="may be any of derived/positions, tt/positions"):
        entry_named("positions")
    with pytest.raises(UnknownFeedError, match="no feed 'nothing'"):
        entry_named("nothing")
