"""`trade-assets latest` of a set that every slot replaces: one picture, its slot, what is gone."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from trade_assets.datasets.records import RECORD_KEY
from trade_assets.settings import Settings, child_environment
from trade_assets.simulators.tt.ids import guid
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.formats.snapshot_keys import snapshot_key
from trade_assets_tests.cli.helpers import Run
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

ORDERS = SNAPSHOTS["tt/orders"]
SLOT_TIME = datetime(2025, 7, 17, 14, 0, 30, tzinfo=UTC)
CHANGED = datetime(2025, 7, 17, 13, 15, tzinfo=UTC)


def put_set(stores: Stores, slot: datetime, orders: Mapping[str, str]) -> None:
    """Replace the orders by these, of which each has a side."""
    key = snapshot_key("ext_prod_sim", ORDERS.kind, slot)
    rows = [
        {
            "source": "tt", "feed": "orders", "file_key": key, "record_key": order, "row": number,
            "event_time": CHANGED, "side": side,
        }
        for number, (order, side) in enumerate(orders.items(), 1)
    ]  # fmt: skip
    schema = ORDERS.record_schema
    texts = {name for name, dtype in schema.items() if dtype == pl.String()}
    assert "side" in texts
    stores.latest.replace(ORDERS, pl.DataFrame(rows, schema=schema), key, slot)


def test_a_key_may_be_as_a_table_shows_it(run: Run, stores: Stores) -> None:
    orders = [guid("order", number) for number in range(3)]
    put_set(stores, SLOT_TIME, dict.fromkeys(orders, "buy"))
    short = f"{orders[1][:8]}…"
    assert keys_of(run, short) == [orders[1]]
    # There is no table here: the error names what was asked for.
    assert orders[1] in run("history", "orders", short).err
    several = run("latest", "orders", "…")
    assert several.code == 2
    assert all(order in several.err.replace("\n", "") for order in orders[:1])
    none = run("latest", "orders", "zzz…")
    assert (none.code, "no record 'zzz…'" in none.err) == (1, True)


def keys_of(run: Run, *options: str) -> list[str]:
    return [record[RECORD_KEY] for record in run("latest", "orders", "--json", *options).json]


def test_json_is_the_whole_set_of_the_newest_slot(run: Run, stores: Stores) -> None:
    assert run("latest", "orders", "--json").json == []
    put_set(stores, SLOT_TIME, {"a": "buy", "b": "sell"})
    put_set(stores, SLOT_TIME + SLOT, {"c": "buy", "b": "buy"})
    records = run("latest", "orders", "--json").json
    assert [(record["record_key"], record["side"]) for record in records] == [
        ("b", "buy"), ("c", "buy"),
    ]  # fmt: skip
    assert list(records[0]) == list(ORDERS.record_schema)
    assert {record["file_key"][-21:] for record in records} == {"20250717T140100Z.json"}


def test_keys_like_and_limit_choose_from_the_picture(run: Run, stores: Stores) -> None:
    put_set(stores, SLOT_TIME, {"Aa": "buy", "b": "sell", "c": "buy"})
    assert keys_of(run, "c", "Aa") == ["c", "Aa"]
    assert keys_of(run, "--like", "a") == ["Aa"]
    assert keys_of(run, "--limit", "2") == ["Aa", "b"]
    gone = run("latest", "orders", "b", "z", "--json")
    assert gone.code == 1
    assert "no record 'z' in tt/orders" in gone.err


def test_the_head_has_the_slot_and_rows_have_their_own_times(run: Run, stores: Stores) -> None:
    put_set(stores, SLOT_TIME, {"a": "buy"})
    text = run("latest", "orders").out
    head, *_ = text.splitlines()
    slot = "2025-07-17 09:00:30 CDT · 14:00:30 UTC"
    assert head.startswith(f"tt/orders · whole set of {slot} · ")
    assert "08:15:00" in text
    put_set(stores, SLOT_TIME + SLOT, {})
    text = run("latest", "orders").out
    assert "whole set of 2025-07-17 09:01:00 CDT" in text
    assert "no record" in text


def watch(settings: Settings, out: Path, *options: str) -> "subprocess.Popen[bytes]":
    command = "from trade_assets.cli.main import main; main()"
    with out.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-c", command, "latest", "orders", "--watch", *options],
            env=child_environment(settings),
            stdout=stream,
        )


def test_watch_tells_what_changed_and_what_is_gone(
    settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    put_set(stores, SLOT_TIME, {"a": "buy", "b": "sell", "c": "buy"})
    out = tmp_path / "out"

    def lines() -> list[tuple[str, object]]:
        found = [json.loads(line) for line in out.read_text().splitlines()]
        return [(line[RECORD_KEY], line.get("gone", line.get("side"))) for line in found]

    first: list[tuple[str, object]] = [("a", "buy"), ("b", "sell"), ("c", "buy")]
    process = watch(settings, out, "--json")
    try:
        eventually(lambda: lines() == first, what="the set that is there")
        put_set(stores, SLOT_TIME + SLOT, {"b": "buy", "c": "buy"})
        eventually(
            lambda: lines() == [*first, ("b", "buy"), ("a", True)], what="the change and the end"
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_watch_into_a_pipe_prints_the_whole_set_again(
    settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    put_set(stores, SLOT_TIME, {"kept": "buy", "ended": "buy"})
    out = tmp_path / "out"
    process = watch(settings, out)
    try:
        eventually(lambda: "ended" in out.read_text(), what="the set that is there")
        put_set(stores, SLOT_TIME + SLOT, {"kept": "buy"})
        eventually(lambda: out.read_text().count("whole set of") == 2, what="the next picture")
        after = out.read_text().split("whole set of")[2]
        assert "kept" in after
        assert "ended" not in after
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_a_name_of_two_data_sets_names_both(run: Run) -> None:
    outcome = run("latest", "positions")
    assert outcome.code == 1
    assert "derived/positions" in outcome.err
    assert "tt/positions" in outcome.err
