"""`trade-assets latest`: what it selects, how exact it is, how it fits, and how it follows."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trade_assets.datasets.registry import all_datasets
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.local.redis_server import start_redis
from trade_assets.settings import Settings, child_environment, load_settings
from trade_assets_tests.cli.helpers import (
    AT_NINE,
    CALL,
    FUTURE,
    NINE,
    PUT,
    RISK_HEADER,
    THERE_ARE,
    Run,
    store,
    store_samples,
)
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

SLOW = ("boto3", "botocore", "dagster", "numpy", "obstore", "polars", "scipy", "structlog")
"""What takes longer to import than a record to be read."""


def risk_keys(outcome_json: list[dict[str, object]]) -> list[object]:
    return [record["record_key"] for record in outcome_json]


def test_json_has_every_record_with_its_exact_numbers_and_nulls(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    outcome = run("latest", "actant/spot_risk", "--json")
    assert outcome.code == 0
    records = {record["record_key"]: record for record in outcome.json}
    assert set(records) == {FUTURE, CALL, PUT}
    assert [str(records[FUTURE][name]) for name in ("bid_price", "ask_price")] == [
        "110.546875",
        "110.5625",
    ]
    assert str(records[PUT]["ask_price"]) == "0.30000000000000004"
    assert str(records[CALL]["bid_price"]) == "0.007"
    assert records[CALL]["bid_volatility"] is None
    assert records[FUTURE]["strike_price"] is None
    assert records[FUTURE]["event_time"] == NINE
    assert list(records[FUTURE]) == list(SPOT_RISK.record_schema)


def test_json_says_which_instrument_a_record_is_about(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    names = "trading_date", "instrument_id", "product", "expiry", "put_call", "underlying_id"

    def about(*arguments: str) -> tuple[object, ...]:
        (record,) = run("latest", *arguments, "--json").json
        return *(record[name] for name in names), str(record["strike_price"])

    assert about("spot_risk", CALL) == (
        *("2025-07-17", "VY3N25-C110.75", "ZN", "2025-07-21", "C", "ZNU25", "110.75"),
    )
    future = ("2025-07-17", "ZNU25", "ZN", "2025-09-19", None, "ZNU25", "None")
    assert about("spot_risk", FUTURE) == future
    assert about("fills", "1001") == future


def test_table_shows_values_ages_and_blanks(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    outcome = run("latest", "spot_risk", CALL)
    assert outcome.code == 0
    assert "2025-07-17 09:00:00 CDT · 14:00:00 UTC" in outcome.out
    (row,) = [line.split() for line in outcome.out.splitlines() if line.startswith(CALL)]
    # Key, bid, ask, theoretical price, average volatility, type, ask volatility, time, age.
    assert row[:8] == [
        CALL, "0.007", "0.015625", "0.01", "4.1", "C", "1628.67", "09:00:00",
    ]  # fmt: skip
    assert "None" not in outcome.out
    assert "null" not in outcome.out


def test_like_and_limit_select(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    assert risk_keys(run("latest", "spot_risk", "--like", "21jul25", "--json").json) == [CALL, PUT]
    limited = run("latest", "spot_risk", "--limit", "2")
    assert "2 of 3 records" in limited.out
    assert len(run("latest", "spot_risk", "--limit", "2", "--json").json) == 2


def test_newest_come_first_and_asked_keys_as_asked(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    later = f"{FUTURE},1,2,,F,,,,\n"
    store(stores, SPOT_RISK, "bav_analysis_20250717_100000.csv", RISK_HEADER + later, history=False)
    assert risk_keys(run("latest", "spot_risk", "--json").json) == [FUTURE, CALL, PUT]
    assert risk_keys(run("latest", "spot_risk", PUT, FUTURE, "--json").json) == [PUT, FUTURE]


def test_columns_are_chosen_and_a_wrong_one_is_named(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    outcome = run("latest", "spot_risk", PUT, "--columns", "ask_price,row", "--json")
    assert [list(record) for record in outcome.json] == [
        ["record_key", "event_time", "ask_price", "row"]
    ]
    common = "instrument_id,expiry,strike_price,underlying_id"
    table = run("latest", "spot_risk", CALL, "--columns", common).out
    (row,) = [line.split() for line in table.splitlines() if line.startswith(CALL)]
    assert row[:5] == [CALL, "VY3N25-C110.75", "2025-07-21", "110.75", "ZNU25"]
    wrong = run("latest", "spot_risk", "--columns", "ask_prise")
    assert wrong.code == 2
    assert "ask_prise" in wrong.err
    assert "bid_volatility" in wrong.err


def test_narrow_terminal_gets_the_columns_that_fit(
    run: Run, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_samples(stores, history=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    outcome = run("latest", "spot_risk")
    assert "no room for" in outcome.out
    assert "ask_volatility" in outcome.out.split("no room for")[1]
    assert "110.546875" in outcome.out
    wide = run("latest", "spot_risk", "--wide").out
    assert "no room for" not in wide
    assert "1628.67" in wide


def test_key_without_a_record_is_an_error(run: Run, stores: Stores) -> None:
    store_samples(stores, history=False)
    outcome = run("latest", "spot_risk", FUTURE, "XCME.NO", "--json")
    assert outcome.code == 1
    assert risk_keys(outcome.json) == [FUTURE]
    assert "XCME.NO" in outcome.err


def test_empty_feed_is_an_empty_array(run: Run) -> None:
    outcome = run("latest", "fills", "--json")
    assert (outcome.code, outcome.json) == (0, [])
    assert "no record" in run("latest", "fills").out


def test_unknown_feed_names_the_feeds(run: Run) -> None:
    outcome = run("latest", "spot_rsik")
    assert outcome.code == 1
    assert outcome.err.splitlines() == [f"error: no feed 'spot_rsik'; {THERE_ARE}"]


def test_help_lists_feeds_and_examples(run: Run) -> None:
    text = run("latest", "--help").out
    words = " ".join(text.split())
    for path, dataset in all_datasets().items():
        assert f" {path} {dataset.title} " in words
    assert "trade-assets latest spot_risk" in text


def test_redis_away_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_REDIS_URL", "redis://127.0.0.1:9/0")
    outcome = run("latest", "fills")
    assert outcome.code == 1
    (line,) = outcome.err.splitlines()
    assert line.startswith("error: ")
    assert "Redis" in line


def start_watch(settings: Settings, out: Path, *options: str) -> "subprocess.Popen[bytes]":
    command = "from trade_assets.cli.main import main; main()"
    with out.open("wb") as stream, out.with_suffix(".err").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", command, "latest", "spot_risk", FUTURE, "--watch", *options],
            env=child_environment(settings),
            stdout=stream,
            stderr=errors,
        )


def bids(out: Path) -> list[float]:
    return [json.loads(line)["bid_price"] for line in out.read_text().splitlines()]


def store_bid(stores: Stores, time: str, bid: str) -> None:
    text = f"{RISK_HEADER}{FUTURE},{bid},200,,F,,,,\n{PUT},1,2,111,P,,,,\n"
    store(stores, SPOT_RISK, f"bav_analysis_20250717_{time}.csv", text, history=False)


def test_watch_follows_changes_and_outlives_redis(tmp_path: Path) -> None:
    out = tmp_path / "out"
    part = start_redis(tmp_path / "redis")
    settings = load_settings(redis_url=f"redis://127.0.0.1:{part.port}/0", home=tmp_path)
    process = None
    try:
        with Stores(settings) as stores:
            store_bid(stores, "090000", "101")
            process = start_watch(settings, out, "--json")
            eventually(lambda: bids(out) == [101], what="the record that is there")
            store_bid(stores, "090001", "102")
            eventually(lambda: bids(out) == [101, 102], what="the change")
            part.stop()
            noted = out.with_suffix(".err")
            eventually(lambda: "waiting" in noted.read_text(), what="Redis noticed as away")
        part = start_redis(tmp_path / "redis", part.port)
        with Stores(settings) as stores:
            eventually(lambda: "is back" in noted.read_text(), what="Redis noticed as back")
            store_bid(stores, "090002", "103")
            eventually(lambda: bids(out)[-1] == 103, what="the change after the outage")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
        assert "Traceback" not in noted.read_text()
    finally:
        if process is not None:
            process.kill()
            process.wait()
        part.stop()


def test_watch_into_a_pipe_prints_tables(
    settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    store_bid(stores, "090000", "101")
    process = start_watch(settings, out)
    try:
        eventually(lambda: " 101 " in out.read_text(), what="the record that is there")
        store_bid(stores, "090001", "102")
        eventually(lambda: " 102 " in out.read_text(), what="the change")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
        assert PUT not in out.read_text()
    finally:
        process.kill()
        process.wait()


def test_reader_of_a_closed_pipe_may_go(settings: Settings, stores: Stores) -> None:
    rows = "".join(f"KEY{number:05},1,2,,F,,,,\n" for number in range(2000))
    store(stores, SPOT_RISK, AT_NINE, RISK_HEADER + rows, history=False)
    command = "from trade_assets.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "latest", "spot_risk", "--json"],
        env=child_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"[\n"
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_reading_needs_nothing_that_takes_long_to_import(
    settings: Settings, stores: Stores
) -> None:
    store_samples(stores, history=False)
    code = (
        "import sys\nfrom trade_assets.cli.main import main\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {SLOW!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "latest", "spot_risk"],
        capture_output=True,
        text=True,
        check=True,
        env=child_environment(settings),
    )
    assert FUTURE in done.stdout
    assert done.stderr.strip() == "[]"
