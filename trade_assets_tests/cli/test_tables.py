"""What of a record a terminal of a hundred columns has room for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from trade_assets.cli.tables import ANY_WIDTH, latest_table
from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.registry import all_datasets
from trade_assets.readers.typed_records import Record
from trade_assets.simulators.tt.ids import guid, short_number

NOW = datetime(2026, 3, 2, 15, 0, 12, tzinfo=UTC)
ORDERS = all_datasets()["tt/orders"]


def order(number: int) -> Record:
    """A working order with all that TT says of one."""
    values: Record = {name: f"{name[:8]}-{number}" for name in ORDERS.record_schema}
    return values | {
        "record_key": guid("order", number),
        "order_id": guid("order", number),
        "event_time": (NOW - timedelta(seconds=75)).isoformat(),
        "account_id": short_number("account", number),
        "instrument": "ZNM6",
        "side": "buy",
        "price": Decimal("110.515625"),
        "quantity": Decimal(250),
        "order_status": "partially_filled",
        "working_quantity": None,
    }


def shown(dataset: Dataset, records: list[Record], width: int) -> list[str]:
    """The lines of a table of that width."""
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(latest_table(dataset, records, None, now=NOW, width=width))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [100, 120])
def test_an_order_is_worth_a_line_of_a_hundred_columns(width: int) -> None:
    records = [order(number) for number in range(20)]
    lines = shown(ORDERS, records, width)
    assert max(map(len, lines)) <= width
    rows = [line for line in lines if "ZNM6" in line]
    assert len(rows) == 20
    for row, record in zip(rows, records, strict=True):
        for cell in ("buy", "110.515625", "250", "partially_filled", "1m15s"):
            assert cell in row
        assert str(record["record_key"]).startswith(row.partition("…")[0])
    assert len({row.partition("…")[0] for row in rows}) == 20
    (note,) = (line for line in lines if "no room for" in line)
    assert "side" not in note


def test_wide_is_all_of_it_with_whole_ids() -> None:
    record = order(1)
    (row,) = (line for line in shown(ORDERS, [record], ANY_WIDTH) if "ZNM6" in line)
    cells = row.split()
    assert cells.count(str(record["record_key"])) == 2
    assert "…" not in row
    own = [name for name in ORDERS.schema if record[name] is not None]
    assert len(cells) == len(own) + 3  # the key, the time, the age


@pytest.mark.parametrize("path", sorted(all_datasets()))
def test_no_data_set_shows_less_than_its_first_columns(path: str) -> None:
    dataset = all_datasets()[path]
    values: Record = dict.fromkeys(dataset.record_schema, "12345")
    record = values | {"record_key": "XCME.ZN.SEP25", "event_time": NOW.isoformat()}
    head = "".join(shown(dataset, [record], 100)[:6])
    for name in list(dataset.columns)[:4]:
        assert name.split("_")[0] in head
