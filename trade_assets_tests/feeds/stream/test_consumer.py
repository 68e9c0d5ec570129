"""The queue consumer over real stores: whatever happens, each record once, the newest shown."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.ingest.figures import FileFigures
from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets.stores.provision import provision
from trade_assets_tests.feeds.stream.harness import (
    AwayAtFirst,
    AwayWriter,
    RefusingWriter,
    SlowWriter,
    Writes,
    announce,
    consuming,
    drained,
    expected_state,
    ledger_lines,
    noted_postponements,
    send,
    state,
    states,
    stored,
)
from trade_assets_tests.stores.samples import (
    FILLS,
    HOUR,
    SPOT,
    ledger_bytes,
    ledger_key,
    spot_bytes,
    spot_key,
)
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

LONG_AGO = datetime(2025, 7, 17, 19, 40, tzinfo=UTC)


def spot_files(number: int, start: int = 0) -> dict[str, bytes]:
    """So many spot-risk files, a second apart; each fourth has a broken row."""
    return {
        spot_key(start + at): spot_bytes(
            {"XCME.ZN.SEP25": 110 + at / 64, f"XCME.Z{at % 3}.SEP25": 100.0 + at},
            *(["odd,x,1,,F,,,,"] if at % 4 == 0 else []),
        )
        for at in range(number)
    }


def put_all(stores: Stores, files: dict[str, bytes], seed: int = 1) -> None:
    """Put files in no particular order."""
    for key in random.Random(seed).sample(sorted(files), len(files)):
        stores.objects.put(key, files[key])


def test_files_in_any_order_and_any_number_of_times_have_their_effect_once(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    files = spot_files(12)
    files[ledger_key()] = ledger_bytes([111.5, 111.25], "3,I,2025-07-17 09:00:03,B,1,much")
    put_all(stores, files)
    heads = [head for head in stores.objects.head_many(sorted(files)) if head is not None]
    again = [(head.key, head.etag, head.landed_at) for head in heads] * 2
    random.Random(2).shuffle(again)
    announce(quick, *again)
    reports = StreamReports()
    with consuming(stores, reports=reports) as consumer:
        drained(stores, *files)
        assert consumer.healthy
    assert state(quick) == expected_state(reference, files)
    assert states(quick) == stored(files)
    assert stores.latest.status(SPOT)["last_file"] == spot_key(11)
    told = [figures for figures in reports.take() if isinstance(figures, FileFigures)]
    assert sum(figures.rows_rejected for figures in told) >= 3 + 1


def test_a_late_file_does_not_take_the_newest_back(stores: Stores, quick: Settings) -> None:
    with consuming(stores):
        stores.objects.put(spot_key(9), spot_bytes({"XCME.ZN.SEP25": 111.0}))
        drained(stores, spot_key(9))
        stores.objects.put(spot_key(3), spot_bytes({"XCME.ZN.SEP25": 110.0}))
        drained(stores, spot_key(3))
    (latest,) = stores.latest.read(SPOT, ["XCME.ZN.SEP25"])
    assert float(latest["bid_price"]) == 111.0
    assert [float(r["bid_price"]) for r in stores.history.read(SPOT, "XCME.ZN.SEP25")] == [111, 110]
    assert states(quick) == stored([spot_key(3), spot_key(9)])


@pytest.mark.parametrize("key", [spot_key(1), ledger_key()], ids=["spot_risk", "fills"])
def test_a_key_that_is_rewritten_and_back_again_ends_as_it_was_put_last(
    stores: Stores, quick: Settings, reference: Settings, key: str
) -> None:
    make = ledger_bytes if key == ledger_key() else lambda p: spot_bytes({"XCME.ZN.SEP25": p[0]})
    first, second = make([110.0]), make([111.0])
    reports = StreamReports()
    with consuming(stores, reports=reports):
        for number, content in enumerate((first, second, first), 1):
            stores.objects.put(key, content)
            eventually(lambda: reports.files_total == number, what=f"version {number}")  # noqa: B023
    assert state(quick) == expected_state(reference, {key: first})
    assert [line["state"] for line in ledger_lines(quick)] == ["stored", "stored"]


def test_a_version_that_is_gone_before_it_is_read_is_superseded(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    first = stores.objects.put(ledger_key(), ledger_bytes([110.0]))
    second = stores.objects.put(ledger_key(), ledger_bytes([110.0, 111.0]))
    with consuming(stores):
        eventually(
            lambda: (
                {line["sk"]: line["state"] for line in ledger_lines(quick)}
                == {first: "superseded", second: "stored"}
            )
        )
    files = {ledger_key(): ledger_bytes([110.0, 111.0])}
    assert state(quick) == expected_state(reference, files)


def test_a_file_that_is_gone_is_missing_until_it_is_put_again(
    stores: Stores, quick: Settings
) -> None:
    data = spot_bytes({"XCME.ZN.SEP25": 110.0})
    etag = stores.objects.put(spot_key(1), data)
    s3_client(quick).delete_object(Bucket=quick.bucket, Key=spot_key(1))
    with consuming(stores):
        eventually(lambda: states(quick) == {spot_key(1): {"missing"}})
        assert stores.objects.put(spot_key(1), data) == etag
        eventually(lambda: states(quick) == stored([spot_key(1)]))


def test_stores_that_are_away_for_a_while_lose_nothing(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    files = {**spot_files(4), ledger_key(): ledger_bytes([111.5, 111.25, 111.0])}
    put_all(stores, files)
    away = AwayAtFirst(stores, failures=6)
    with consuming(stores, Writes(away.latest), Writes(away.history)) as consumer:
        drained(stores, *files)
        assert consumer.error is None
    assert away.left == 0
    assert state(quick) == expected_state(reference, files)
    assert states(quick) == stored(files)


def test_a_file_that_a_store_refuses_ends_as_a_dead_letter_and_the_others_go_on(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    files = spot_files(6)
    put_all(stores, files)
    with consuming(stores, history=RefusingWriter(stores, spot_key(2))) as consumer:
        drained(stores, *files, dead=1)
        assert consumer.healthy
    found = states(quick)
    assert found.pop(spot_key(2)) == {"failed"}
    del files[spot_key(2)]
    assert found == stored(files)
    assert state(quick)["history"] == expected_state(reference, files)["history"]


def test_what_cannot_be_read_is_quarantined_with_its_reason(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    unparsable, alien = spot_key(1), "feeds/nobody/knows/dt=2025-07-17/hh=19/a b+c.csv"
    misnamed = feed_file_key(SPOT, "readme.txt", HOUR)
    for key in (unparsable, alien, misnamed):
        stores.objects.put(key, b"no header\n")
    files = spot_files(2, start=20)
    put_all(stores, files)
    with consuming(stores) as consumer:
        drained(stores, unparsable, alien, misnamed, *files)
        assert consumer.healthy
    for key in (unparsable, alien, misnamed):
        assert stores.objects.get(f"quarantine/{key}").data == b"no header\n"
        assert stores.objects.head(f"quarantine/{key}.error.json") is not None
    found = states(quick)
    assert [found.pop(key) for key in (unparsable, alien, misnamed)] == [{"quarantined"}] * 3
    assert found == stored(files)
    assert state(quick) == expected_state(reference, files)


def test_messages_that_nobody_can_work_end_as_dead_letters_and_the_others_go_on(
    stores: Stores, quick: Settings
) -> None:
    odd = "feeds//odd.csv"  # a key that S3 holds and the reading side refuses
    s3_client(quick).put_object(Bucket=quick.bucket, Key=odd, Body=b"x")
    send(quick, "no notification")
    announce(quick, ("quarantine/feeds/x.csv", "e", LONG_AGO))  # of no feed: let go
    files = spot_files(2)
    put_all(stores, files)
    with consuming(stores) as consumer:
        drained(stores, *files, dead=2)
        assert consumer.healthy
    assert states(quick) == {**stored(files), odd: {"failed"}}


def test_work_that_takes_longer_than_the_visibility_is_not_given_to_another(
    quick: Settings,
) -> None:
    """That each extension is in time is shown by a clock of its own (`test_visibility`): here a
    busy machine may miss one, so that the message is worked twice, which does no harm."""
    brief = quick.changed({"queue_visibility_seconds": 2, "queue_max_receives": 1000})
    provision(brief)
    with Stores(brief) as stores, consuming(stores, history=(slow := SlowWriter(stores))):
        extended = noted_postponements(stores.queue)
        stores.objects.put(spot_key(1), spot_bytes({"XCME.ZN.SEP25": 110.0}))
        assert slow.called.wait(PATIENCE_SECONDS)
        eventually(lambda: extended.count(2) >= 4, what="the visibility is extended")
        slow.go_on.set()
        drained(stores, spot_key(1))
    assert states(quick) == stored([spot_key(1)])


def test_an_abort_gives_messages_to_another_consumer_at_once(
    stores: Stores, quick: Settings
) -> None:
    stores.objects.put(spot_key(1), spot_bytes({"XCME.ZN.SEP25": 110.0}))
    with (
        Stores(quick) as first,
        consuming(first, history=(away := AwayWriter(first))) as consumer,
    ):
        assert away.called.wait(PATIENCE_SECONDS)
        consumer.stop(drain=False)
        assert consumer.error is None
    with consuming(stores):
        drained(stores, spot_key(1))
    assert states(quick) == stored([spot_key(1)])


def test_an_older_version_that_is_written_last_is_followed_by_the_current_one(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    key, slow = ledger_key(), SlowWriter(stores)
    versions = [ledger_bytes([110.0, 112.0]), ledger_bytes([111.0])]
    first = stores.objects.put(key, versions[0])
    with consuming(stores, history=slow):
        assert slow.called.wait(PATIENCE_SECONDS)
        # Another consumer takes the second version's notification, and is through before us.
        s3_client(quick).put_bucket_notification_configuration(
            Bucket=quick.bucket, NotificationConfiguration={}
        )
        second = stores.objects.put(key, versions[1])
        expected_state(quick, {key: versions[1]})
        slow.go_on.set()
        drained(stores, key)
    # The trade that the current version lacks is closed in the history, and gone from `latest`.
    assert stores.latest.record_keys(FILLS) == ["1"]
    assert list(stores.history.read(FILLS, "2")) == []
    expected_state(reference, {key: versions[0]})
    assert state(quick) == expected_state(reference, {key: versions[1]})
    assert {line["sk"]: line["state"] for line in ledger_lines(quick)} == {
        first: "superseded",
        second: "stored",
    }


def test_two_consumers_over_files_that_are_rewritten_all_the_time_end_in_the_newest(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    files = spot_files(50)
    later = ledger_key(HOUR + timedelta(hours=1))
    ledgers = {ledger_key(): 40, later: 25}

    def rewrite(key: str, versions: int) -> None:
        for version in range(versions):
            # Grows, and corrects an earlier price with every version.
            files[key] = ledger_bytes([100 + version / 64] * 3 + [111.0] * version)
            stores.objects.put(key, files[key])

    writers = [threading.Thread(target=put_all, args=(stores, dict(files)))] + [
        threading.Thread(target=rewrite, args=pair) for pair in ledgers.items()
    ]
    with Stores(quick) as others, consuming(stores), consuming(others, run_id="other"):
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        drained(stores, *files)
    assert state(quick) == expected_state(reference, files)
    found = states(quick)
    assert all(found[key] <= {"stored", "superseded"} for key in ledgers)
    current = [head for head in stores.objects.head_many(sorted(files)) if head is not None]
    known = stores.ledger.known((head.key, head.etag) for head in current)
    assert set(known.values()) == {"stored"}
    assert len(known) == 52
