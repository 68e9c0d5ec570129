"""`trade-assets status`: what it finds, what it calls a problem, and that nothing stops it."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from trade_assets.cli.shown_values import both_zones
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.stream.owed import OwedFiles, RecordStore
from trade_assets.ingest.reading import FileVersion
from trade_assets.market.sessions import open_seconds
from trade_assets.monitor import quarantine as quarantine_reading
from trade_assets.ports import free_port
from trade_assets.settings import Settings, child_environment
from trade_assets.stores.aws import sqs_client
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets_tests.cli.helpers import Run, http_server
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(local_parts: LocalParts, module_settings: Settings, tmp_path: Path) -> Settings:
    """A Redis of this test's own; the AWS names are the module's, provisioning takes a second.

    Who puts something into the queue or the quarantine takes it out again.
    """
    return local_parts.settings(tmp_path / "home", namespace=module_settings.namespace)


def utc(moment: datetime) -> str:
    """A UTC time as JSON has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def problems(run: Run) -> list[str]:
    outcome = run("status", "--json")
    assert outcome.json["healthy"] is (outcome.code == 0)
    assert outcome.code == (2 if outcome.json["problems"] else 0)
    found: list[str] = outcome.json["problems"]
    return found


@pytest.mark.usefixtures("healthy")
def test_healthy_platform_is_zero_and_says_what_it_saw(run: Run, settings: Settings) -> None:
    outcome = run("status", "--json")
    assert outcome.code == 0
    seen = outcome.json
    assert list(seen) == [
        "healthy", "problems", "time", "profile", "namespace", "parts",
        "feeds", "stream_enabled", "stream_runs", "owed", "history_kept", "redis_life",
        "queue", "quarantine", "tt",
    ]  # fmt: skip
    assert seen["problems"] == []
    assert {part["name"]: part["reachable"] for part in seen["parts"]} == dict.fromkeys(
        ("S3", "SQS", "DynamoDB", "Redis", "Dagster UI", "TT simulator"), True
    )
    feeds = {feed["feed"]: feed for feed in seen["feeds"]}
    assert list(feeds) == list(FEEDS)
    assert {feed["freshness"] for feed in seen["feeds"]} == {"ok"}
    assert feeds["tt/fills"]["record_keys"] == 2
    assert feeds["tt/fills"]["last_event_time"] == "2025-07-17T14:30:00Z"
    assert str(feeds["tt/fills"]["lag_seconds"]) == "0.052"
    assert feeds["actant/spot_risk"]["record_keys"] == 3
    assert feeds["actant/spot_risk"]["last_event_time"] == "2025-07-17T14:00:00Z"
    assert [(beat["run_id"], beat["files"]) for beat in seen["stream_runs"]] == [("run-1", 7)]
    assert seen["queue"]["depth"]["dead"] == 0

    text = run("status")
    assert text.code == 0
    for words in ("healthy", "run-1 consuming, 7 files", "09:30:00 CDT · 14:30:00 UTC", *FEEDS):
        assert words in text.out


@pytest.mark.usefixtures("healthy")
def test_stale_feed_is_a_problem(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_FRESHNESS_SECONDS", '{"actant/spot_risk": 0.000001}')
    (problem,) = problems(run)
    assert problem.startswith("actant/spot_risk: stale")
    assert "stale" in run("status").out


@pytest.mark.usefixtures("healthy")
def test_what_a_store_is_owed_is_a_problem_until_it_has_it(run: Run, settings: Settings) -> None:
    landed = datetime(2025, 7, 17, 14, 30, tzinfo=UTC)
    with Stores(settings) as stores:
        owed = OwedFiles(stores.objects)
        owed.owe({RecordStore.HISTORY: [FileVersion("feeds/actant/a.csv", "etag", landed)]})
        (problem,) = problems(run)
        assert problem.startswith("DynamoDB: is owed 1 batches of files since 14:30:00 UTC")
        (key,) = owed.keys(RecordStore.HISTORY)
        owed.settle([owed.read(RecordStore.HISTORY, key)])
    assert problems(run) == []


@pytest.mark.usefixtures("local_programs")
def test_fresh_start_has_neither_files_nor_a_stream(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = [f"{path}: no file yet" for path in FEEDS]
    slots = [f"{path}: no snapshot yet" for path in SNAPSHOTS]
    assert problems(run) == [*empty, "stream: no run is consuming", *slots]
    monkeypatch.setenv("TRADE_ASSETS_STREAM_ENABLED", "false")
    assert problems(run) == [*empty, *slots]
    monkeypatch.setenv("TRADE_ASSETS_TT_SNAPSHOTS_ENABLED", "false")
    assert problems(run) == empty


@pytest.mark.usefixtures("healthy")
def test_redis_away_leaves_the_rest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"redis://user:hidden-word@127.0.0.1:{free_port()}/0"
    monkeypatch.setenv("TRADE_ASSETS_REDIS_URL", url)
    outcome = run("status", "--json")
    assert outcome.code == 2
    reachable = {part["name"]: part["reachable"] for part in outcome.json["parts"]}
    assert reachable == {
        "S3": True, "SQS": True, "DynamoDB": True, "Redis": False, "Dagster UI": True,
        "TT simulator": True,
    }  # fmt: skip
    assert outcome.json["stream_runs"] is None
    assert {feed["freshness"] for feed in outcome.json["feeds"]} == {"unknown"}
    for name in ("gaps", "unknown_columns"):
        assert [feed[name] for feed in outcome.json["feeds"]] == [None] * len(FEEDS)
    assert outcome.json["queue"]["depth"]["dead"] == 0
    text = run("status")
    assert text.code == 2
    assert "away" in text.out
    assert "gaps        unknown" in text.out
    assert "hidden-word" not in text.out + text.err + outcome.out + outcome.err


@pytest.mark.usefixtures("healthy")
def test_aws_away_leaves_the_rest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    outcome = run("status", "--json")
    assert outcome.code == 2
    assert [problem.split(":")[0] for problem in outcome.json["problems"]] == [
        "S3", "SQS", "DynamoDB",
    ]  # fmt: skip
    assert outcome.json["queue"] is None
    assert outcome.json["quarantine"] is None
    assert {feed["freshness"] for feed in outcome.json["feeds"]} == {"ok"}
    text = run("status")
    assert (text.code, text.err) == (2, "")
    assert "trade-assets up" in text.out


@pytest.mark.usefixtures("healthy")
def test_somebody_else_on_a_port_is_told_apart(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server(b"<html>a shop</html>") as port:
        monkeypatch.setenv("TRADE_ASSETS_DAGSTER_PORT", str(port))
        (problem,) = problems(run)
        assert "is not Dagster" in problem
        monkeypatch.setenv("TRADE_ASSETS_AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        assert {"S3", "SQS", "DynamoDB"} <= {text.split(":")[0] for text in problems(run)}


@pytest.mark.usefixtures("local_programs")
def test_what_is_not_provisioned_is_reachable_and_a_problem(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_ASSETS_NAMESPACE", "t-nothing-made")
    parts = {part["name"]: part for part in run("status", "--json").json["parts"]}
    for name in ("S3", "SQS", "DynamoDB"):
        assert parts[name]["reachable"] is True
        assert parts[name]["problem"]
    assert "trouble" in run("status").out


@pytest.mark.usefixtures("healthy")
def test_gaps_show_and_are_no_problem(run: Run, stores: Stores) -> None:
    # Five days: the market is open in some of them, however long a weekend is.
    now = datetime.now(UTC).replace(microsecond=0)
    end, start = now - timedelta(days=6), now - timedelta(days=11)
    assert SPOT_RISK.cadence_seconds == 1
    stores.coverage.add(SPOT_RISK, [start, end], 1)
    outcome = run("status", "--json")
    assert outcome.code == 0
    (feed,) = [feed for feed in outcome.json["feeds"] if feed["feed"] == SPOT_RISK.path]
    looked_at = datetime.fromisoformat(outcome.json["time"])
    expected = round(open_seconds(start, end)) - 1, ceil(open_seconds(end, looked_at)) - 1
    assert feed["gaps"] == [
        {
            "start": utc(start),
            "end": utc(end),
            "files_expected": expected[0],
            "open": False,
        },
        {
            "start": utc(end),
            "end": outcome.json["time"],
            "files_expected": expected[1],
            "open": True,
        },
    ]
    others = [feed["gaps"] for feed in outcome.json["feeds"] if feed["feed"] != SPOT_RISK.path]
    assert others == [[]] * (len(FEEDS) - 1)

    text = run("status")
    assert text.code == 0
    _, _, after = text.out.partition("gaps        2 gaps\n")
    newest, older = [line for line in after.splitlines() if line.startswith(SPOT_RISK.path)]
    assert "still open" in newest
    assert newest.split(SPOT_RISK.path)[1].strip().startswith(both_zones(end))
    assert older.split() == [
        *(SPOT_RISK.path, *both_zones(start).split(), *both_zones(end).split()),
        f"{expected[0]:,}",
    ]


@pytest.mark.usefixtures("healthy")
def test_without_gaps_and_unknown_columns_it_says_so_or_nothing(run: Run) -> None:
    outcome = run("status", "--json")
    assert {str(feed["gaps"]) for feed in outcome.json["feeds"]} == {"[]"}
    assert {str(feed["unknown_columns"]) for feed in outcome.json["feeds"]} == {"[]"}
    text = run("status").out
    assert "gaps        none" in text
    assert "new columns" not in text


@pytest.mark.usefixtures("healthy")
def test_unknown_columns_show_and_are_no_problem(run: Run, stores: Stores) -> None:
    stores.unknown_columns.note(SPOT_RISK, ["VEGA", "DELTA [red]"])
    stores.unknown_columns.note(FILLS, ["broker"])
    outcome = run("status", "--json")
    assert outcome.code == 0
    found = {feed["feed"]: feed["unknown_columns"] for feed in outcome.json["feeds"]}
    assert {path: names for path, names in found.items() if names} == {
        "actant/spot_risk": ["DELTA [red]", "VEGA"],
        "tt/fills": ["broker"],
    }
    (line,) = [line for line in run("status").out.splitlines() if line.startswith("new columns")]
    assert line.rstrip() == (
        "new columns actant/spot_risk: DELTA [red], VEGA; tt/fills: broker (kept in extra)"
    )


@pytest.mark.usefixtures("healthy")
def test_damaged_status_does_not_stop_the_look(run: Run, redis_client: Any) -> None:
    redis_client.hset("status:tt:fills", mapping={"last_ingest_time": "soon"})
    assert problems(run) == ["tt/fills: freshness unknown"]
    redis_client.set("status:actant:spot_risk", "no hash")
    found = run("status", "--json")
    assert found.code == 2
    assert "WRONGTYPE" in "".join(found.json["problems"])


@pytest.fixture
def send_dead(settings: Settings) -> Iterator[Callable[..., None]]:
    """Puts bodies into the dead-letter queue, for this test."""
    sqs = sqs_client(settings)
    url = sqs.get_queue_url(QueueName=settings.dead_letter_queue_name)["QueueUrl"]

    def send(*bodies: str) -> None:
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)

    yield send
    sqs.purge_queue(QueueUrl=url)
    sqs.close()


def notification(key: str) -> str:
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2025-07-17T14:00:00.000Z",
        "s3": {"object": {"key": key, "eTag": "e"}},
    }
    return json.dumps({"Records": [record]})


@pytest.mark.usefixtures("healthy")
def test_dead_letters_show_and_stay(run: Run, send_dead: Callable[..., None]) -> None:
    key = "feeds/tt/fills/dt=2025-07-17/hh=14/trades_20250717.csv"
    send_dead(notification(key), "what is [this]")
    for _ in range(2):
        outcome = run("status", "--json")
        assert outcome.json["problems"] == ["queue: dead letters: 2"]
        letters = outcome.json["queue"]["dead_letters"]
        assert sorted((letter["keys"], letter["body"]) for letter in letters) == [
            ([], "what is [this]"),
            ([key], None),
        ]
    text = run("status").out
    assert key in text
    assert "not understood: what is [this]" in text


@pytest.mark.usefixtures("healthy")
def test_at_most_ten_dead_letters_are_shown(run: Run, send_dead: Callable[..., None]) -> None:
    send_dead(*(notification(f"feeds/tt/fills/{number}") for number in range(13)))
    queue = run("status", "--json").json["queue"]
    assert queue["depth"]["dead"] == 13
    assert len({letter["message_id"] for letter in queue["dead_letters"]}) == 10


@pytest.fixture
def quarantine(stores: Stores) -> Iterator[Callable[..., str]]:
    """Quarantines a file by its name, landing time and reason, for this test; returns its key."""
    keys: list[str] = []

    def put(name: str, landed: datetime, reason: str) -> str:
        key = feed_file_key(FILLS, name, landed)
        keys.append(key)
        stores.objects.put(key, b"broken")
        info = stores.objects.head(key)
        assert info is not None
        rows = [{"row": 3, "reason": reason, "text": "a,b"}]
        stores.objects.quarantine(info, reason, rows, datetime.now(UTC))
        return key

    yield put
    stores.objects.release(keys)


@pytest.mark.usefixtures("healthy")
def test_quarantine_shows_reasons_and_is_no_problem(
    run: Run, quarantine: Callable[..., str]
) -> None:
    key = quarantine("trades_20250717.csv", datetime.now(UTC), "price [red]x[/red]")
    outcome = run("status", "--json")
    assert outcome.code == 0
    assert outcome.json["quarantine"]["files"] == 1
    (file,) = outcome.json["quarantine"]["newest"]
    assert (file["key"], file["reason"], file["row_numbers"]) == (key, "price [red]x[/red]", [3])
    text = run("status").out
    assert key in text
    assert "price [red]x[/red] (rows 3)" in text


@pytest.mark.usefixtures("healthy")
def test_full_quarantine_is_listed_within_bounds_and_newest_hours_first(
    run: Run, quarantine: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_reading, "LOOKED_AT_KEYS", 6)
    now = datetime.now(UTC)
    for days in (400, 300, 20, 10):
        quarantine("trades_20250101.csv", now - timedelta(days=days), "old")
    newest = [quarantine(f"trades_2025010{number}.csv", now, f"new {number}") for number in (1, 2)]
    seen = run("status", "--json").json["quarantine"]
    assert seen["more"] is True
    assert {file["key"] for file in seen["newest"]} == set(newest)
    assert {file["reason"] for file in seen["newest"]} == {"new 1", "new 2"}
    assert "more than" in run("status").out


@pytest.mark.usefixtures("healthy")
def test_watch_looks_again_until_stopped(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = "from trade_assets.cli.main import main; main()"
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", command, "status", "--watch", "--json"],
            env=child_environment(
                settings,
                TRADE_ASSETS_DAGSTER_PORT=str(free_port()),
                TRADE_ASSETS_TT_SNAPSHOTS_ENABLED="false",
            ),
            stdout=stream,
        )
    try:
        eventually(lambda: out.read_text().count("\n") >= 2, what="a second look")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 2
    finally:
        process.kill()
        process.wait()
    looks = [json.loads(line) for line in out.read_text().splitlines()]
    assert looks[0]["time"] < looks[1]["time"]
    assert [part["name"] for part in looks[0]["parts"] if not part["reachable"]] == ["Dagster UI"]
