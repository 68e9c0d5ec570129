"""The documentation says what the code does, where that can be checked."""

from trade_assets.datasets.registry import all_datasets
from trade_assets.market.expirations import EXPIRATIONS_SCHEMA
from trade_assets.settings import setting_fields, variable_of
from trade_assets_tests.support.parts import CHECKOUT


def test_every_setting_is_listed_with_its_meaning() -> None:
    text = (CHECKOUT / "docs" / "operations.md").read_text()
    for name, field in setting_fields():
        assert f"| `{variable_of(name)}` |" in text, name
        assert field.description, name
        assert field.description in text, name


def test_every_column_is_in_the_grammar_of_names() -> None:
    text = (CHECKOUT / "docs" / "naming.md").read_text()
    for dataset in all_datasets().values():
        for column in dataset.record_schema:
            assert f"`{column}`" in text, f"{dataset.path}: {column}"
    for column in EXPIRATIONS_SCHEMA:
        assert f"`{column}`" in text, column
