"""One life of the product: started, fed, looked at, damaged, killed, repaired, stopped, restarted.

The tests of this module share one running product and come in this order.
"""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trade_assets.datasets.keys import (
    FEEDS_PREFIX,
    LAYERS,
    STORED_LAYERS,
    feed_file_key,
    parse_feed_key,
)
from trade_assets.datasets.registry import feed_of_file
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.derived.declarations import GREEKS
from trade_assets.simulators.desk.desk import DeskPlan, DeskState
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets_tests.e2e.life import (
    FILLS,
    SPOT_RISK,
    START,
    Product,
    backfill_status,
    damage,
    live_stream_runs,
    stream_processes,
)
from trade_assets_tests.samples.made_files import SAMPLES
from trade_assets_tests.support.parts import CHECKOUT
from trade_assets_tests.support.product import (
    CLI,
    command_json,
    product_environment,
    product_settings,
    running_up,
)
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

REAL_FILES = CHECKOUT.parent / "shared" / "data"
WINDOW_SECONDS = 45


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    outbox = folder / "outbox"
    outbox.mkdir()
    settings = product_settings(
        folder / "home",
        window_seconds=WINDOW_SECONDS,
        report_interval_seconds=2,
        # What was fresh is so at the next look, however long that takes.
        freshness_seconds=dict.fromkeys(FEEDS, 86_400.0),
    )
    with (
        running_up(settings, folder, "--no-simulator") as running,
        (folder / "push.log").open("wb") as log,
    ):
        running.says("Dagster UI  ")
        agent = subprocess.Popen(
            [*CLI, "push", str(outbox), "--json"],
            env=product_environment(settings, folder),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        life = Product(running, folder, outbox)
        try:
            yield life
        finally:
            life.stores.close()
            agent.terminate()
            agent.wait(PATIENCE_SECONDS)


def test_files_are_readable_in_both_stores(product: Product) -> None:
    names = [product.drop_spot_risk() for _ in range(5)]
    ledger_name, ledger_data = ledger_file(5, START)
    product.drop(ledger_name, ledger_data)
    for name in [*names, ledger_name]:
        product.is_stored(name)
    future = next(key for key in product.stores.latest.record_keys(SPOT_RISK) if ".SEP25" in key)
    (latest,) = product.stores.latest.read(SPOT_RISK, [future])
    assert latest["file_key"].endswith(names[-1])
    history = list(product.stores.history.read(SPOT_RISK, future))
    assert [record["file_key"].rsplit("/", 1)[1] for record in history] == names[::-1]
    assert product.stores.latest.record_keys(FILLS)


def test_a_rewritten_ledger_ends_in_its_newest_version(product: Product) -> None:
    name, data = ledger_file(5, START + timedelta(hours=1))
    product.drop(name, data)
    trades = set(FILLS.parse(data, name).frame["record_key"].to_list())
    eventually(
        lambda: trades <= set(product.stores.latest.record_keys(FILLS)), "new trades readable"
    )
    product.is_stored(name)


def test_every_file_of_a_desk_ends_whole_and_queryable(product: Product) -> None:
    files = list(DeskState(DeskPlan(seed=5, eod_expiries=2)).due(START - timedelta(minutes=1)))
    for file in files:
        product.drop(file.file_name, file.data)
    for file in files:
        product.is_stored(file.file_name)
    claimed = [feed_of_file(file.file_name) for file in files]
    assert {feed.path for feed in claimed if feed} == FEEDS.keys()
    status = command_json(product.running.settings, product.folder, ["status"])
    feeds = {feed["feed"]: feed for feed in status["feeds"]}
    assert feeds.keys() == FEEDS.keys()
    assert all(feed["freshness"] == "ok" and feed["record_keys"] for feed in feeds.values())


def test_greeks_and_positions_follow_the_files(product: Product) -> None:
    name = product.drop_spot_risk()
    product.is_stored(name)

    def solved() -> list[dict[str, Any]]:
        greeks = command_json(product.running.settings, product.folder, ["latest", "greeks"])
        return [
            record
            for record in greeks
            if record["file_key"].endswith(name) and record["reason"] is None
        ]

    found = eventually(solved, "Greeks of the newest file")
    assert all(0 <= abs(record["delta"]) <= 1 and record["vega"] > 0 for record in found)
    assert {record["underlying_id"] for record in found} == {"ZNU25"}
    (position,) = command_json(
        product.running.settings, product.folder, ["latest", "derived/positions", "ZNU25"]
    )
    assert position["position_quantity"] == sum(lot[0] for lot in json.loads(position["lots"]))
    assert position["trading_date"] == "2025-07-17"


def test_a_new_column_is_kept_and_told(product: Product) -> None:
    name, data = spot_risk_file(5, START + timedelta(minutes=30), rows=81)
    head, *lines = data.decode().splitlines()
    with_more = [f"{head},MOOD", *(f"{line},calm" for line in lines), ""]
    product.drop(name, "\n".join(with_more).encode())
    product.is_stored(name)
    (future,) = command_json(
        product.running.settings, product.folder, ["latest", "spot_risk", "XCME.ZN.SEP25"]
    )
    assert json.loads(future["extra"]) == {"MOOD": "calm"}
    status = command_json(product.running.settings, product.folder, ["status"])
    told = {feed["feed"]: feed["unknown_columns"] for feed in status["feeds"]}
    assert told["actant/spot_risk"] == ["MOOD"]


def test_rubbish_goes_to_quarantine_and_the_rest_goes_on(product: Product) -> None:
    rubbish = "bav_analysis_20250717_120000.csv"
    product.drop(rubbish, b"\x00\xff not a file of ours\n1,2,3\n")
    good = product.drop_spot_risk()
    product.is_stored(good)
    eventually(lambda: product.state_of(rubbish) == FileState.QUARANTINED)
    key = product.key_of(rubbish)
    report = json.loads(product.stores.objects.get(f"quarantine/{key}.error.json").data)
    assert report["file"] == key
    assert report["reason"]
    assert product.stores.objects.get(f"quarantine/{key}").data.startswith(b"\x00\xff")


def test_a_bad_row_is_rejected_with_its_number(product: Product) -> None:
    data = (
        b"tradeId,instrumentName,marketTradeTime,buySell,quantity,price\n"
        b"71,XCMEFFDPSX20250919U0ZN,2025-07-16 13:43:47.000,B,1000.0,110.625\n"
        b"72,XCMEFFDPSX20250919U0ZN,2025-07-16 13:43:48,B,5.0,bad\n"
    )
    product.drop("trades_20250716.csv", data)
    product.is_stored("trades_20250716.csv")
    key = product.key_of("trades_20250716.csv")
    report = json.loads(product.stores.objects.get(f"quarantine/{key}.error.json").data)
    assert report["row_numbers"] == [3]
    (line,) = product.stores.ledger.entries(str(key))
    assert (line["rows_in"], line["rows_stored"], line["rows_rejected"]) == ("2", "1", "1")


def test_every_file_of_the_bucket_is_accounted_for(product: Product) -> None:
    files = list(product.stores.objects.list_after(FEEDS_PREFIX))
    for info in files:
        lines = {line["sk"]: line for line in product.stores.ledger.entries(info.key)}
        line = lines[info.etag]
        kept = int(line["rows_stored"]) + int(line["rows_unchanged"])
        rejected = int(line["rows_rejected"])
        assert int(line["rows_in"]) == kept + rejected
        if line["state"] == FileState.STORED:
            feed_key = parse_feed_key(info.key)
            parsed = feed_key.feed.parse(
                product.stores.objects.get(info.key).data, feed_key.file_name
            )
            assert (kept, rejected) == (parsed.frame.height, len(parsed.rejected))


def test_the_ui_shows_lineage_metadata_and_checks(product: Product) -> None:
    product.is_stored(product.drop_spot_risk())
    query = """{ assetNodes { assetKey { path } dependencyKeys { path }
      assetMaterializations(limit: 1) { partition metadataEntries { label } }
      assetChecksOrError { ... on AssetChecks { checks { name
        executionForLatestMaterialization { evaluation { success } } } } } } }"""

    def reported() -> dict[str, Any] | None:
        nodes = product.running.graphql(query)["assetNodes"]
        found = {"/".join(node["assetKey"]["path"]): node for node in nodes}
        history = found["actant/spot_risk/history"]
        done = all(
            check["executionForLatestMaterialization"]
            for check in history["assetChecksOrError"]["checks"]
        )
        return found if history["assetMaterializations"] and done else None

    nodes = eventually(reported, "materialisations in the UI")
    assert nodes is not None
    for layer in ("latest", "history"):
        node = nodes[f"actant/spot_risk/{layer}"]
        assert node["dependencyKeys"] == [{"path": ["actant", "spot_risk", "files"]}]
        (event,) = node["assetMaterializations"]
        assert event["partition"] == f"{datetime.now(UTC):%Y-%m-%d-%H}:00"
        labels = {entry["label"] for entry in event["metadataEntries"]}
        assert labels >= {
            "files", "rows", "rejects", "first_event_time", "last_event_time",
            "lag_p50_seconds", "lag_max_seconds", "preview",
        }  # fmt: skip
    checks = nodes["actant/spot_risk/history"]["assetChecksOrError"]["checks"]
    assert {check["name"] for check in checks} == {"schema", "rows_accounted", "symbols", "ticks"}
    for check in checks:
        assert check["executionForLatestMaterialization"]["evaluation"]["success"]


def test_a_rerun_from_the_ui_repairs_both_stores(product: Product) -> None:
    stores = product.stores
    key = next(key for key in stores.latest.record_keys(SPOT_RISK) if ".SEP25" in key)
    before_latest = stores.latest.read(SPOT_RISK, [key])
    before_history = list(stores.history.read(SPOT_RISK, key))
    option = stores.latest.record_keys(GREEKS)[0]
    before_greeks = stores.latest.read(GREEKS, [option])
    stores.latest._redis.hset(f"latest:derived:greeks:{option}", "future_price", "1")
    damage(stores, key)
    assert stores.latest.read(SPOT_RISK, [key]) != before_latest
    assert list(stores.history.read(SPOT_RISK, key)) != before_history
    partition = parse_feed_key(before_latest[0]["file_key"]).partition
    data = product.running.graphql(
        """mutation($run: ExecutionParams!) { launchPipelineExecution(executionParams: $run) {
             __typename ... on LaunchRunSuccess { run { runId } } } }""",
        run={
            "selector": {
                "repositoryLocationName": "trade_assets",
                "repositoryName": "__repository__",
                "pipelineName": "feed_hours",
                "assetSelection": [
                    *({"path": ["actant", "spot_risk", name]} for name in LAYERS),
                    *({"path": ["derived", "greeks", name]} for name in STORED_LAYERS),
                ],
            },
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
            "mode": "default",
        },
    )
    run_id = data["launchPipelineExecution"]["run"]["runId"]
    statuses = ("SUCCESS", "FAILURE", "CANCELED")
    status = eventually(
        lambda: next(
            (
                run["status"]
                for run in product.runs("feed_hours")
                if run["runId"] == run_id and run["status"] in statuses
            ),
            None,
        ),
        "rerun ends",
    )
    assert status == "SUCCESS"
    assert stores.latest.read(SPOT_RISK, [key]) == before_latest
    assert list(stores.history.read(SPOT_RISK, key)) == before_history
    assert stores.latest.read(GREEKS, [option]) == before_greeks


def test_files_of_a_desk_are_stored(product: Product) -> None:
    # Behind the rerun: their times to expiry, which come late, are news to pictures before them.
    names = []
    for path in [*sorted(SAMPLES.rglob("*.csv")), *sorted(REAL_FILES.rglob("*.csv"))]:
        if feed_of_file(path.name):
            product.drop(path.name, path.read_bytes())
            names.append(path.name)
    assert names
    for name in names:
        product.is_stored(name)


def test_a_backfill_over_many_hours_is_few_runs(product: Product) -> None:
    before = {run["runId"] for run in product.runs("__ASSET_JOB")}
    now = datetime.now(UTC)
    hours = [f"{now - timedelta(hours=back):%Y-%m-%d-%H}:00" for back in range(30)]
    layers = [{"path": ["actant", "spot_risk", layer]} for layer in LAYERS]
    data = product.running.graphql(
        """mutation($backfill: LaunchBackfillParams!) {
             launchPartitionBackfill(backfillParams: $backfill) {
               __typename ... on LaunchBackfillSuccess { backfillId } } }""",
        backfill={"assetSelection": layers, "partitionNames": hours},
    )["launchPartitionBackfill"]
    assert data["__typename"] == "LaunchBackfillSuccess", data
    status = eventually(lambda: backfill_status(product, data["backfillId"]), "the backfill ends")
    assert status == "COMPLETED_SUCCESS"
    runs = {run["runId"] for run in product.runs("__ASSET_JOB")} - before
    assert len(runs) == 2  # of at most 24 hours each


def test_killed_stream_runs_are_replaced_and_no_file_is_lost(product: Product) -> None:
    victims = stream_processes(product)
    for victim in victims.values():
        victim.kill()
    product.is_stored(product.drop_spot_risk())
    # A successor may have been on its way before the kill, so not "a run that was not there".
    eventually(lambda: set(live_stream_runs(product)) - victims.keys(), "another run lives")


def test_a_stream_run_terminated_from_the_ui_is_replaced(product: Product) -> None:
    run_id = eventually(lambda: next(iter(live_stream_runs(product)), None), "a live run")
    product.running.graphql(
        "mutation($id: String!) { terminateRun(runId: $id) { __typename } }", id=run_id
    )
    product.is_stored(product.drop_spot_risk())
    eventually(lambda: {"runId": run_id, "status": "CANCELED"} in product.runs("feed_stream"))


def test_windows_roll_over_without_a_gap(product: Product) -> None:
    def ended() -> int:
        return [run["status"] for run in product.runs("feed_stream")].count("SUCCESS")

    before = ended()
    names: list[str] = []

    def another_one_ended() -> bool:
        names.append(product.drop_spot_risk())
        product.is_stored(names[-1])
        return ended() > before

    eventually(another_one_ended, "a window ends")
    assert len(names) > 5


def test_a_message_nobody_understands_ends_as_a_dead_letter_in_status(product: Product) -> None:
    queue = product.stores.queue
    queue._sqs.send_message(QueueUrl=queue._url, MessageBody="rubbish")
    eventually(lambda: queue.depth().dead == 1, "dead letter")
    status = command_json(product.running.settings, product.folder, ["status"])
    assert status["queue"]["depth"]["dead"] == 1
    (letter,) = status["queue"]["dead_letters"]
    assert "rubbish" in json.dumps(letter)
    product.is_stored(product.drop_spot_risk())


def test_it_stops_without_a_trace_and_finds_its_data_again(product: Product) -> None:
    keys = product.stores.latest.record_keys(SPOT_RISK)
    key = next(key for key in keys if ".SEP25" in key)
    records = len(list(product.stores.history.read(SPOT_RISK, key)))
    settings = product.running.settings
    assert product.running.stop(signal.SIGINT) == 0, product.running.text()
    assert product.running.processes() == []
    assert "Traceback" not in product.running.text()
    with running_up(settings, product.folder, "--no-simulator", "--json") as again:
        again.says('"event":"running"')
        with Stores(settings) as stores:
            assert stores.latest.record_keys(SPOT_RISK) == keys
            assert len(list(stores.history.read(SPOT_RISK, key))) == records
            name, data = spot_risk_file(5, START + timedelta(hours=3), rows=81)
            file_key = feed_file_key(SPOT_RISK, name, datetime.now(UTC))
            etag = stores.objects.put(file_key, data)
            eventually(lambda: stores.ledger.known([(file_key, etag)]), "fed again")
        assert again.stop(signal.SIGTERM) == 0, again.text()
        assert again.processes() == []
        events = [json.loads(line)["event"] for line in again.text().splitlines()]
        assert {"step", "running", "status", "stopped"} <= set(events)
