"""What the registry says of columns: each is described, and each has its place among the others."""

import pytest

from trade_assets.datasets.records import EXTRA, RECORD_SCHEMA
from trade_assets.datasets.registry import all_datasets


@pytest.mark.parametrize("path", sorted(all_datasets()))
def test_every_column_of_a_data_set_is_described_and_has_its_place(path: str) -> None:
    dataset = all_datasets()[path]
    assert dataset.columns.keys() == dataset.schema.keys()
    assert list(dataset.column_texts) == list(dataset.record_schema)
    for name, text in dataset.column_texts.items():
        assert text.strip() == text, name
        assert not text.endswith("."), name
        assert text not in ("", name), name


def test_a_common_column_is_described_once() -> None:
    for dataset in all_datasets().values():
        assert not dataset.columns.keys() & {*RECORD_SCHEMA, EXTRA}, dataset.path
