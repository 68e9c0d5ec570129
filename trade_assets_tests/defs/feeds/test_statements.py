"""Rewritten files through the stream and a rerun: what they do not say any more is nowhere."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from trade_assets.feeds.datasets import DERIVED
from trade_assets.stores.aws import s3_client
from trade_assets_tests.feeds.stream.derived_files import (
    SEPTEMBER,
    SOD,
    SOD_HEADER,
    sod_key,
)
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import (
    FILLS,
    FILLS_HEADER,
    HOUR,
    ledger_bytes,
    ledger_key,
)
from trade_assets_tests.support.materialise import Materialise
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import eventually

POSITIONS = DERIVED["derived/positions"]


def lots(*quantities: int) -> bytes:
    """A start-of-day file of long lots of one future at one price."""
    rows = [
        f"ACCT1,ZN,ZN,2025-07-17,FUTURE,L,,,{quantity},{SEPTEMBER['ZN']},1000,110.5,"
        for quantity in quantities
    ]
    return (SOD_HEADER + "\n".join(rows) + "\n").encode()


def put(stores: Stores, key: str, data: bytes) -> datetime:
    """Put a version of a file, and wait until the stream is through with it."""
    stores.objects.put(key, data)
    drained(stores, key)
    return stores.objects.get(key).info.landed_at


def second_over(moment: datetime) -> None:
    """Wait until S3's clock, which has whole seconds, has another one."""
    eventually(lambda: datetime.now(UTC) > moment + timedelta(seconds=1), what="another second")


def held_lots(stores: Stores) -> list[float]:
    found = stores.latest.read(SOD, stores.latest.record_keys(SOD))
    return sorted(float(row["quantity"]) for row in found)


def kept_lots(stores: Stores, *quantities: int, until: datetime | None = None) -> list[float]:
    keys = [f"ACCT1:ZN:{SEPTEMBER['ZN']}#{quantity}@110.5" for quantity in quantities]
    rows = [row for key in keys for row in stores.history.read(SOD, key, until=until)]
    return sorted(float(row["quantity"]) for row in rows)


def position(stores: Stores) -> tuple[float, float]:
    """Opening and present quantity, the same in both stores."""
    (latest,) = stores.latest.read(POSITIONS, ["ZNU25"])
    (history,) = stores.history.read(POSITIONS, "ZNU25")
    names = ("opening_quantity", "position_quantity")
    found = [float(latest[name]) for name in names]
    assert [history[name] for name in names] == [Decimal(str(value)) for value in found]
    return found[0], found[1]


def test_a_start_of_day_that_drops_a_lot_is_followed_by_both_stores_and_by_positions(
    stores: Stores, materialise: Materialise
) -> None:
    with consuming(stores):
        put(stores, ledger_key(), ledger_bytes([111.0] * 13))
        assert position(stores) == (0, 13)
        put(stores, sod_key(), lots(-5))
        assert held_lots(stores) == []
        put(stores, sod_key(), lots(5, 7))
        assert (held_lots(stores), kept_lots(stores, 5, 7)) == ([5, 7], [5, 7])
        assert position(stores) == (12, 25)
        dropped_at = put(stores, sod_key(), lots(7))
    for _ in range(2):
        assert (held_lots(stores), kept_lots(stores, 5, 7)) == ([7], [7])
        assert kept_lots(stores, 5, 7, until=dropped_at) == [5, 7]
        assert kept_lots(stores, 5, 7, until=dropped_at + timedelta(microseconds=1)) == [7]
        assert position(stores) == (7, 20)
        assert materialise(SOD).success
        assert materialise(FILLS).success
        assert materialise(POSITIONS).success


def test_a_rerun_of_a_start_of_day_derives_positions_anew(
    stores: Stores, materialise: Materialise
) -> None:
    with consuming(stores):
        put(stores, ledger_key(), ledger_bytes([111.0]))
    stores.objects.put(sod_key(), lots(7))
    assert materialise(SOD).success
    assert position(stores) == (7, 8)


def test_a_busted_trade_is_gone_and_a_ledger_of_none_empties_its_day(stores: Stores) -> None:
    with consuming(stores):
        put(stores, ledger_key(), ledger_bytes([111.0, 112.0]))
        put(stores, ledger_key(), ledger_bytes([111.0]))
        assert stores.latest.record_keys(FILLS) == ["1"]
        assert position(stores) == (0, 1)
        put(stores, ledger_key(), FILLS_HEADER.encode())
        assert stores.latest.record_keys(FILLS) == []
        assert stores.latest.record_keys(POSITIONS) == []
        assert list(stores.history.read(POSITIONS, "ZNU25")) == []


def test_a_rerun_reads_the_former_versions_of_a_bucket_that_keeps_them(
    stores: Stores, materialise: Materialise
) -> None:
    s3_client(stores.settings).put_bucket_versioning(
        Bucket=stores.settings.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    landed = []
    for prices in ([111.0, 112.0, 113.0], [111.0], [111.0, 112.5]):
        stores.objects.put(ledger_key(), ledger_bytes(prices))
        landed.append(stores.objects.get(ledger_key()).info.landed_at)
        second_over(landed[-1])
    assert materialise(FILLS).success
    assert materialise(POSITIONS).success

    def kept(until: datetime) -> dict[str, str]:
        found = (stores.history.read(FILLS, key, until=until, limit=1) for key in "123")
        return {row["record_key"]: str(row["price"]) for rows in found for row in rows}

    moment = timedelta(microseconds=1)
    # What a later version says anew has that one's price: under one key they are one item.
    assert kept(landed[1]) == {"1": "111", "2": "112.5", "3": "113"}
    assert kept(landed[1] + moment) == {"1": "111"}
    assert kept(landed[2] + moment) == {"1": "111", "2": "112.5"}
    assert stores.latest.record_keys(FILLS) == ["1", "2"]
    assert position(stores) == (0, 2)


def test_the_stream_keeps_what_was_rewritten_before_it_was_read(stores: Stores) -> None:
    s3_client(stores.settings).put_bucket_versioning(
        Bucket=stores.settings.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    landed = []
    for prices in ([111.0, 112.0], [111.0]):
        stores.objects.put(ledger_key(), ledger_bytes(prices))
        landed.append(stores.objects.get(ledger_key()).info.landed_at)
        second_over(landed[-1])
    with consuming(stores):
        drained(stores, ledger_key())
    assert list(stores.history.read(FILLS, "2")) == []
    assert len(list(stores.history.read(FILLS, "2", until=landed[1]))) == 1
    assert stores.latest.record_keys(FILLS) == ["1"]
    assert position(stores) == (0, 1)


@pytest.mark.parametrize("damaged", ["what,is,this\n1,2,3\n", f"{FILLS_HEADER}1,x,x,x,x,x\n"])
def test_a_version_of_which_nothing_can_be_read_says_nothing(stores: Stores, damaged: str) -> None:
    with consuming(stores):
        put(stores, ledger_key(), ledger_bytes([111.0, 112.0]))
        put(stores, ledger_key(), damaged.encode())
    assert stores.latest.record_keys(FILLS) == ["1", "2"]
    assert position(stores) == (0, 2)


def test_an_older_hour_that_comes_late_adds_nothing(
    stores: Stores, materialise: Materialise
) -> None:
    later = ledger_key(HOUR + timedelta(hours=1))
    stores.objects.put(ledger_key(), ledger_bytes([111.0, 112.0]))
    with consuming(stores):
        put(stores, later, ledger_bytes([113.0]))
    assert materialise(FILLS).success
    assert materialise(POSITIONS).success
    (trade,) = stores.latest.read(FILLS, stores.latest.record_keys(FILLS))
    assert (trade["record_key"], trade["price"]) == ("1", "113.0")
    assert list(stores.history.read(FILLS, "2")) == []
    (open_lot,) = orjson.loads(stores.latest.read(POSITIONS, ["ZNU25"])[0]["lots"])
    assert open_lot[:2] == [1.0, 113.0]
    assert position(stores) == (0, 1)
