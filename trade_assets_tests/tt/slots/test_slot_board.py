"""The newest slot on the board, in a real Redis."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from trade_assets.settings import Settings, TtEnvironment
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.slots.slot_board import SlotBoard, SlotSummary
from trade_assets_tests.stores.samples import raw_redis

SLOT = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)


def slot(number: int) -> datetime:
    return SLOT + timedelta(seconds=30 * number)


def taken(number: int, *, whole: bool = True, kept: bool = True) -> SlotSummary:
    reason = "" if whole else "orders: 503"
    return SlotSummary(slot(number), whole, 1.25, reason=reason, kept=kept)


@pytest.fixture
def board(settings: Settings) -> Iterator[SlotBoard]:
    client = connect(settings)
    yield SlotBoard(settings, client)
    disconnect(client)


def read(board: SlotBoard) -> SlotSummary:
    summary = board.read()
    assert summary is not None
    return summary


def test_what_is_written_reads_back(board: SlotBoard) -> None:
    assert board.read() is None
    written = SlotSummary(
        SLOT, False, 2.5, 0.031, 'orders: "503"', {"orders": "failed", "fills": "taken"}, "run-1"
    )
    assert board.write_taken(written)
    assert read(board) == SlotSummary(
        SLOT, False, 2.5, 0.031, 'orders: "503"', {"orders": "failed", "fills": "taken"}, "run-1",
        failures=1, last_whole=None, last_kept=SLOT,
    )  # fmt: skip


def test_it_never_moves_back_whatever_the_order(board: SlotBoard, settings: Settings) -> None:
    for order in permutations(range(3)):
        with raw_redis(settings) as client:
            client.flushdb()
        for number in order:
            board.write_taken(taken(number))
        assert read(board).slot == slot(2)
    assert not board.write_taken(taken(1, whole=False))
    assert read(board).whole


def test_failures_in_a_row_are_counted_once_a_slot(board: SlotBoard) -> None:
    board.write_taken(taken(0))
    board.write_taken(taken(1, whole=False))
    for _ in range(2):
        board.write_taken(taken(2, whole=False, kept=False))
    summary = read(board)
    assert (summary.failures, summary.last_whole, summary.last_kept) == (2, slot(0), slot(1))
    board.write_taken(taken(2))  # a second try
    assert (read(board).failures, read(board).last_whole) == (0, slot(2))
    board.write_taken(taken(2, whole=False))
    assert read(board).failures == 2
    board.write_taken(taken(3, whole=False))
    assert read(board).failures == 3


@pytest.mark.parametrize("damage", ["text", "fields"])
def test_a_damaged_board_is_empty_and_written_anew(
    board: SlotBoard, settings: Settings, damage: str
) -> None:
    key = "slots:tt:ext_prod_sim"
    with raw_redis(settings) as client:
        if damage == "fields":
            client.hset(key, "slot", "zzz")
        board.write_taken(taken(0))
        client.delete(key)
        if damage == "text":
            client.set(key, "text")
        else:
            client.hset(key, "whole", "1")
            assert board.read() is None
    board.write_taken(taken(1))
    assert read(board).slot == slot(1)


def test_environments_do_not_see_each_other(board: SlotBoard, settings: Settings) -> None:
    board.write_taken(taken(0))
    live = settings.changed({"tt_environment": TtEnvironment.LIVE})
    client = connect(live)
    assert SlotBoard(live, client).read() is None
    disconnect(client)


def test_it_works_on_a_cluster(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    board = SlotBoard(redis_cluster_settings, client)
    board.write_taken(taken(0))
    assert read(board).slot == slot(0)
    disconnect(client)
