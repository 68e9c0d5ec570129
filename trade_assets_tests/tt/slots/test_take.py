"""Taking slots over the real local parts: what is asked, what is kept, and what is said of it."""

import gzip
import time
from datetime import timedelta
from typing import Any

import orjson
import pytest

from trade_assets.errors import (
    BreakerOpenError,
    CredentialsError,
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
)
from trade_assets.stores.aws import s3_client
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.slots.instrument_cache import FRESH_FOR, REFUSED_FOR
from trade_assets.tt.slots.results import KindState, SlotOutcome
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets_tests.stores.samples import history_items, raw_redis, redis_records
from trade_assets_tests.tt.slots.conftest import Desk, forget_redis, slot_of
from trade_assets_tests.tt.slots.model import ZF, ZN

KINDS = tuple(SNAPSHOTS_BY_KIND)
LONG = timedelta(days=300)


def notes(desk: Desk) -> list[SlotNote]:
    return desk.stores.slot_log.notes(slot_of(0) - LONG, slot_of(0) + LONG)


def board(desk: Desk) -> SlotSummary:
    summary = desk.stores.slot_board.read()
    assert summary is not None
    return summary


def there(desk: Desk, number: int) -> set[str]:
    """Kinds of a slot in the bucket."""
    return {kind for kind in KINDS if desk.documents.get(kind, slot_of(number)) is not None}


def history_keys(desk: Desk) -> list[str]:
    return [item["pk"]["S"] for item in history_items(desk.settings)]


def test_a_slot_is_kept_byte_by_byte_and_is_in_both_stores(desk: Desk) -> None:
    result = desk.take(0)
    assert (result.outcome, result.reason, result.whole) == (SlotOutcome.WHOLE, "", True)
    assert [(item.kind, item.state, item.rows) for item in result.kinds.values()] == [
        ("orders", KindState.TAKEN, 1),
        ("fills", KindState.TAKEN, 1),
        ("positions", KindState.TAKEN, 1),
        ("instruments", KindState.TAKEN, 2),
    ]
    assert result.offset_seconds == pytest.approx(0.031)
    assert result.calls["calls"] == 5
    assert result.protection["budget_percent"] == pytest.approx(0.8)

    key = result.kinds["orders"].key
    assert key == "snapshots/tt/ext_prod_sim/orders/dt=2026-11-20/hh=15/20261120T155830Z.json"
    stored = s3_client(desk.settings).get_object(Bucket=desk.settings.bucket, Key=key)
    assert stored["ContentEncoding"] == "gzip"
    document = orjson.loads(gzip.decompress(stored["Body"].read()))
    assert document["answers"][0]["orders"][0]["orderId"] == "o1"
    kept = desk.documents.get("orders", slot_of(0))
    assert kept is not None
    assert kept.document is not None
    assert kept.document.bodies == tuple(answer.data for answer in desk.api.orders())

    assert sorted(history_keys(desk)) == [
        f"tt#instruments#{ZF}", f"tt#instruments#{ZN}", "tt#orders#o1",
        f"tt#positions#1000001/{ZF}", "tt#tt_fills#f1",
    ]  # fmt: skip
    (record,) = desk.stores.latest.read(ORDERS, ["o1"])
    assert (record["price"], record["file_key"], record["instrument"]) == ("110.5", key, "ZNM5")
    for snapshot in SNAPSHOTS_BY_KIND.values():
        status = desk.stores.latest.status(snapshot)
        assert status["last_file"] == desk.documents.key(snapshot.kind, slot_of(0))
    assert notes(desk) == []
    assert board(desk).whole


def test_the_next_slot_writes_what_changed_and_asks_for_no_instrument_again(desk: Desk) -> None:
    desk.take(0)
    before = history_items(desk.settings)
    desk.model.order("o2", 111.0, desk.time_ns(0))
    desk.model.fill("f2", desk.time_ns(0))
    result = desk.take(1)
    assert result.whole
    assert {kind: item.changed for kind, item in result.kinds.items()} == {
        "orders": 1, "fills": 1, "positions": 0, "instruments": 0,
    }  # fmt: skip
    assert sum(item.puts for item in result.kinds.values()) == 2
    after = history_items(desk.settings)
    assert [item["pk"]["S"] for item in after if item not in before] == [
        "tt#orders#o2", "tt#tt_fills#f2",
    ]  # fmt: skip
    assert desk.api.count(f"instrument/{ZN}") == 1
    instruments = desk.documents.get("instruments", slot_of(1))
    assert instruments is not None
    assert instruments.document is not None
    times = {answer.received_at for answer in instruments.document.manifest.answers}
    assert times == {slot_of(0) + timedelta(seconds=0.031)}
    latest = redis_records(desk.settings, ORDERS)
    assert list(latest["keys"]) == ["o1", "o2"]


def test_an_order_that_is_gone_is_gone(desk: Desk) -> None:
    desk.model.order("o2", 111.0, desk.time_ns(0))
    desk.take(0)
    del desk.model.orders["o1"]
    result = desk.take(1)
    assert result.kinds["orders"].gone == 1
    assert desk.stores.latest.record_keys(ORDERS) == ["o2"]
    assert list(redis_records(desk.settings, ORDERS)["keys"]) == ["o2"]
    desk.model.orders.clear()
    assert desk.take(2).whole
    assert desk.stores.latest.record_keys(ORDERS) == []


def test_no_slot_is_asked_for_twice(desk: Desk) -> None:
    desk.take(0)
    stored, asked = history_items(desk.settings), list(desk.api.asked)
    desk.model.order("o1", 99.0, desk.time_ns(0))
    for late in (5.0, 400.0):
        result = desk.take(0, late)
        assert result.whole
        assert result.offset_seconds is None
        assert {item.state for item in result.kinds.values()} == {KindState.KEPT}
    assert desk.api.asked == asked
    assert history_items(desk.settings) == stored


def test_only_what_is_missing_is_asked_for_again(desk: Desk) -> None:
    desk.api.faults["orders"] = lambda: RemoteUnavailableError("503 from TT")
    first = desk.take(0)
    assert first.outcome is SlotOutcome.PARTIAL
    assert [note.kinds for note in notes(desk)] == [{"orders": "failed: 503 from TT"}]
    desk.api.faults.clear()
    second = desk.take(0, late=12.0)
    assert second.whole
    assert second.kinds["orders"].state is KindState.TAKEN
    assert (desk.api.count("orders"), desk.api.count("fills")) == (2, 1)
    assert notes(desk) == []
    assert (board(desk).failures, board(desk).whole) == (0, True)


def test_too_late_nothing_is_asked_and_the_slot_is_missed(desk: Desk) -> None:
    result = desk.take(0, late=30.1)
    assert (result.outcome, desk.api.asked) == (SlotOutcome.MISSED, [])
    (note,) = notes(desk)
    assert (note.state, note.run_id) == (SlotState.MISSED, "run")
    assert note.reason == "too late: 30 s after the slot"
    assert desk.stores.slot_board.read() is None


def test_too_late_what_is_there_is_written_all_the_same(desk: Desk) -> None:
    desk.api.faults["orders"] = lambda: RemoteUnavailableError("503 from TT")
    desk.take(0)
    forget_redis(desk.settings)
    asked = list(desk.api.asked)
    result = desk.take(0, late=3600)
    assert desk.api.asked == asked
    assert result.outcome is SlotOutcome.PARTIAL
    assert result.kinds["orders"].state is KindState.MISSED
    assert result.kinds["fills"].written
    assert desk.stores.latest.record_keys(SNAPSHOTS_BY_KIND["fills"]) == ["f1"]


@pytest.mark.parametrize("seconds", [-30, -1.5])
def test_a_slot_of_the_future_is_refused(desk: Desk, seconds: float) -> None:
    result = desk.take(0, late=seconds)
    assert result.outcome is SlotOutcome.REFUSED
    assert (desk.api.asked, notes(desk)) == ([], [])
    assert desk.take(0, late=-0.4).whole  # clocks of two machines differ


def test_what_is_no_slot_is_refused(desk: Desk) -> None:
    moment = slot_of(0) + timedelta(seconds=7)
    desk.clock.at(moment, 1)
    assert desk.taker().take(moment).outcome is SlotOutcome.REFUSED


def test_a_closed_market_is_left_alone(desk: Desk) -> None:
    desk.settings = desk.settings.changed({"tt_market_hours": ["Sun 17:00-Thu 16:00"]})
    result = desk.take(0)
    assert (result.outcome, result.reason) == (SlotOutcome.CLOSED, "market closed")
    assert (desk.api.asked, notes(desk), there(desk, 0)) == ([], [], set())
    assert desk.stores.slot_board.read() is None


def test_a_slot_is_skipped_while_another_one_is_taken(desk: Desk) -> None:
    held = desk.stores.slot_lease.acquire(30, "20261120T155800Z other-run")
    assert held is not None
    result = desk.take(0)
    assert (result.outcome, desk.api.asked) == (SlotOutcome.SKIPPED, [])
    (note,) = notes(desk)
    assert note.state is SlotState.SKIPPED
    assert note.reason == "a snapshot is being taken: 20261120T155800Z other-run"
    held.release()
    assert desk.take(0).whole
    assert notes(desk) == []
    assert desk.stores.slot_lease.holder() is None


def test_a_second_run_of_the_same_slot_notes_nothing(desk: Desk) -> None:
    inner: list[SlotOutcome] = []

    def again(kind: str) -> None:
        if kind == "orders" and not inner:
            inner.append(desk.taker().take(slot_of(0), "second").outcome)

    desk.api.before_answer = again
    assert desk.take(0).whole
    assert inner == [SlotOutcome.SKIPPED]
    assert notes(desk) == []
    assert desk.api.count("orders") == 1


def test_who_lost_the_lease_puts_nothing(desk: Desk) -> None:
    def lose(kind: str) -> None:
        with raw_redis(desk.settings) as client:
            client.delete("lease:tt:ext_prod_sim")

    desk.api.before_answer = lose
    result = desk.take(0)
    assert result.outcome is SlotOutcome.FAILED
    assert "another run may have taken over" in result.reason
    assert there(desk, 0) == set()


@pytest.mark.parametrize("kind", ["orders", "fills", "positions"])
@pytest.mark.parametrize(
    "error",
    [
        RemoteRejectedError("TT: no such account", 403),
        CredentialsError("TT: invalid key", 401),
        BreakerOpenError("the breaker is open for 12 s"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_kinds_fail_by_themselves(desk: Desk, kind: str, error: Exception) -> None:
    desk.api.faults[kind] = lambda: error
    result = desk.take(0)
    assert result.outcome is SlotOutcome.PARTIAL
    assert result.reason == f"{kind}: {error}"
    assert there(desk, 0) == set(KINDS) - {kind}
    assert (result.kinds[kind].state, result.kinds[kind].written) == (KindState.FAILED, False)
    (note,) = notes(desk)
    assert (note.state, note.kinds) == (SlotState.PARTIAL, {kind: f"failed: {error}"})
    assert board(desk).kinds[kind] == f"failed: {error}"
    desk.api.faults.clear()
    assert desk.take(1).whole


def test_when_all_fails_the_slot_has_failed(desk: Desk) -> None:
    for kind in KINDS:
        desk.api.faults[kind] = lambda: RemoteUnavailableError("maintenance")
    for number in range(3):
        result = desk.take(number)
        assert result.outcome is SlotOutcome.FAILED
    assert [note.state for note in notes(desk)] == [SlotState.FAILED] * 3
    assert (board(desk).failures, board(desk).kept, board(desk).last_whole) == (3, False, None)
    desk.api.faults.clear()
    result = desk.take(3)
    assert result.whole
    assert result.kinds["fills"].rows == 1
    assert board(desk).failures == 0


def test_what_no_error_of_ours_says_is_not_repeated(desk: Desk) -> None:
    def secret() -> Exception:
        return KeyError("Bearer abc.def.secret")

    desk.api.faults = {"orders": secret, f"instrument/{ZN}": secret}
    result = desk.take(0)
    told = f"{result} {notes(desk)} {board(desk)} {desk.documents.get('instruments', slot_of(0))}"
    assert "KeyError" in told
    assert "secret" not in told


def test_a_malformed_answer_is_quarantined_as_it_came(desk: Desk) -> None:
    body = b'{"orders": [{"orderId": "o1", '
    desk.api.faults["orders"] = lambda: MalformedAnswerError("ttledger/orders: no JSON", body)
    result = desk.take(0)
    assert result.kinds["orders"].reason == "ttledger/orders: no JSON"
    key = f"quarantine/{desk.documents.key('orders', slot_of(0))}"
    assert desk.stores.objects.get(key).data == body
    report = orjson.loads(desk.stores.objects.get(f"{key}.error.json").data)
    assert report["reason"] == "ttledger/orders: no JSON"
    assert report["file"] == desk.documents.key("orders", slot_of(0))


def test_a_row_that_is_none_is_set_aside_and_the_slot_is_whole(desk: Desk) -> None:
    desk.model.orders["bad"] = {"orderId": "bad"}
    result = desk.take(0)
    assert result.whole
    assert (result.kinds["orders"].rows, result.kinds["orders"].rejected) == (1, 1)
    key = f"quarantine/{result.kinds['orders'].key}.error.json"
    report = orjson.loads(desk.stores.objects.get(key).data)
    assert report["row_numbers"] == [2]


def test_an_instrument_that_cannot_be_had_is_a_note_and_not_asked_for_again(desk: Desk) -> None:
    del desk.model.instruments[ZN]
    result = desk.take(0)
    assert result.whole
    assert result.kinds["instruments"].notes == (f"instrument {ZN}: no instrument {ZN}",)
    assert result.kinds["instruments"].rows == 1
    assert desk.take(1).kinds["instruments"].notes == result.kinds["instruments"].notes
    assert desk.api.count(f"instrument/{ZN}") == 1
    with raw_redis(desk.settings) as client:
        key = f"cache:tt:ext_prod_sim:refused:{ZN}"
        assert 0 < int(str(client.ttl(key))) <= REFUSED_FOR.total_seconds()
        client.delete(key)  # what expiry does
    desk.model.instrument(ZN)
    assert desk.take(2).kinds["instruments"].notes == ()
    (record,) = desk.stores.latest.read(ORDERS, ["o1"])
    assert record["instrument"] == "ZNM5"


def test_a_passing_failure_of_an_instrument_is_tried_again_in_the_next_slot(desk: Desk) -> None:
    desk.api.faults[f"instrument/{ZN}"] = lambda: RemoteUnavailableError("503")
    assert desk.take(0).kinds["instruments"].notes == (f"instrument {ZN}: 503",)
    desk.api.faults.clear()
    assert desk.take(1).kinds["instruments"].notes == ()


def test_instruments_are_asked_for_again_after_a_day_or_stay_as_they_were(desk: Desk) -> None:
    desk.take(0)
    later = FRESH_FOR // timedelta(seconds=30)
    assert desk.take(later - 1).whole
    assert desk.api.count(f"instrument/{ZN}") == 1
    desk.api.faults[f"instrument/{ZN}"] = lambda: RemoteUnavailableError("503")
    result = desk.take(later)
    assert result.whole
    assert result.kinds["instruments"].rows == 2
    assert result.kinds["instruments"].notes == (
        f"instrument {ZN}: 503; the one of yesterday stays",
    )
    desk.api.faults.clear()
    assert desk.take(later + 1).kinds["instruments"].notes == ()
    assert (desk.api.count(f"instrument/{ZN}"), desk.api.count(f"instrument/{ZF}")) == (3, 2)


def test_a_malformed_instrument_costs_that_one_only(desk: Desk) -> None:
    desk.api.faults[f"instrument/{ZN}"] = lambda: MalformedAnswerError("no JSON", b"<html>")
    result = desk.take(0)
    assert (result.whole, result.kinds["instruments"].rows) == (True, 1)
    key = f"quarantine/{result.kinds['instruments'].key}.{ZN}"
    assert desk.stores.objects.get(key).data == b"<html>"


def test_without_any_instrument_the_kind_has_failed_and_names_stay(desk: Desk) -> None:
    desk.take(0)
    with raw_redis(desk.settings) as client:
        client.delete(*client.scan_iter("cache:*"))
    for id_ in (ZN, ZF):
        desk.api.faults[f"instrument/{id_}"] = lambda: RemoteUnavailableError("503")
    result = desk.take(1)
    assert result.kinds["instruments"].state is KindState.FAILED
    assert (result.outcome, result.reason) == (SlotOutcome.PARTIAL, "instruments: 503")
    # Named by the newest document of instruments of the hour: nothing has changed.
    assert result.kinds["orders"].changed == 0


def test_a_desk_without_anything_has_empty_documents(desk: Desk) -> None:
    for rows in (desk.model.orders, desk.model.positions, desk.model.fills):
        rows.clear()
    result = desk.take(0)
    assert result.whole
    assert [item.rows for item in result.kinds.values()] == [0, 0, 0, 0]
    assert there(desk, 0) == set(KINDS)
    picture = desk.stores.latest.read_set(ORDERS)
    assert picture is not None
    assert (picture.records, picture.event_time) == ([], slot_of(0))


def test_all_calls_have_one_deadline_that_ends_before_the_next_slot(desk: Desk) -> None:
    begin = time.monotonic()
    desk.take(0, late=25.0)
    (deadline,) = set(desk.api.deadlines)
    assert deadline is not None
    assert deadline <= time.monotonic() + 5
    desk.api.deadlines.clear()
    desk.take(1)
    (deadline,) = set(desk.api.deadlines)
    assert deadline is not None
    assert begin + 19 < deadline < time.monotonic() + 20


def test_a_document_that_nobody_can_read_costs_its_kind_only(desk: Desk) -> None:
    desk.take(0)
    key = desk.documents.key("orders", slot_of(1))
    desk.stores.objects.put(key, b"garbage")
    result = desk.take(1)
    assert result.outcome is SlotOutcome.PARTIAL
    assert "it is not JSON" in result.kinds["orders"].reason
    assert desk.stores.objects.head(f"quarantine/{key}") is not None
    assert desk.api.count("orders") == 1
    picture = desk.stores.latest.read_set(ORDERS)
    assert picture is not None
    assert picture.event_time == slot_of(0)
    # The next slot is compared with the one before the damage.
    after = desk.take(2)
    assert (after.whole, after.kinds["orders"].changed) == (True, 0)


def test_the_result_is_plain_enough_for_metadata(desk: Desk) -> None:
    result: Any = desk.take(0)
    assert orjson.dumps([dict(result.calls), dict(result.protection)])
