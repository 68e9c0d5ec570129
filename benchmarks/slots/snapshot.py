"""One large snapshot: what taking it lasts, beside a plain loop of the same requests, and beside
writing its records as fast as the stand-in can."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import SecretStr

from benchmarks.ceiling import Trial, write_ceiling
from benchmarks.figures import BenchmarkError
from benchmarks.parts import Bench, running_stores
from benchmarks.simulator import running_simulator, simulator_url
from benchmarks.slots.plain import PlainApi, PlainLoop
from trade_assets.datasets.dataset import to_records
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.io_managers.latest_io_manager import LatestIOManager
from trade_assets.remote.protection.limits import ApiLimits
from trade_assets.remote.protection.protection import Protection
from trade_assets.remote.secrets import SecretsManagerCredentials
from trade_assets.settings import Settings, TtTier
from trade_assets.stores.provision import provision
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.stores.serialise import dynamodb_items, with_keys
from trade_assets.tt.client.tt_client import TtClient
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.document import read_document
from trade_assets.tt.formats.fills_chain import first_fills
from trade_assets.tt.formats.instruments_snapshot import instrument_names
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.key_tiers import api_limits
from trade_assets.tt.slots.results import SlotResult
from trade_assets.tt.slots.take import SnapshotTaker
from trade_assets.tt.tt_stores import TtStores

UNBOUND: Final = "1000000"
"""What the simulator allows a second and a day: only our own pace is to show."""
AFTER_THE_SLOT: Final = timedelta(milliseconds=50)
MOST_ROUNDS: Final = 7
"""Every round has two Redis databases of its own, and there are 16."""
UNPACED: Final = 100_000
"""Requests a second, as a limit that is none."""


@dataclass(frozen=True)
class Round:
    """One snapshot of everything into empty stores, the slot after it, the same snapshot without
    the limit a second, and the plain loop."""

    first: SlotResult
    second: SlotResult
    unpaced: SlotResult
    plain: PlainLoop


@dataclass(frozen=True)
class Timed:
    """All rounds, and how fast the stand-in writes the records of one."""

    tier: TtTier
    per_second: int
    rounds: list[Round]
    ceiling: Trial


def time_snapshots(bench: Bench) -> Timed:
    """Time so many rounds.

    Raises:
        BenchmarkError: a snapshot is not whole, or not what the plain loop got.
    """
    scale = bench.scale
    fields = {"tt_base_url": simulator_url(), "tt_tier": TtTier.HIGH}
    with running_stores(bench, "snapshot", **fields) as settings:
        provision(settings)
        options = {
            "--orders": scale.snapshot_orders,
            "--backlog-fills": scale.snapshot_fills,
            "--fills-per-minute": 0,
            "--redirect-share": 0,
            "--per-second": UNBOUND,
            "--per-day": UNBOUND,
        }
        words = [str(word) for pair in options.items() for word in pair]
        with running_simulator(settings, *words):
            rounds = []
            for number in range(min(scale.rounds, MOST_ROUNDS)):
                bench.say(f"slots: large snapshot {number + 1} of {scale.rounds}")
                rounds.append(_round(settings, number))
        bench.say("slots: write ceiling of the local DynamoDB")
        items = _items(_own(settings, 0), rounds[0].first)
        ceiling, _ = write_ceiling(settings, items, min(scale.ceiling_items, len(items)))
    return Timed(settings.tt.tier, api_limits(settings.tt).per_second, rounds, ceiling)


def _own(settings: Settings, number: int) -> Settings:
    """Settings of a round: AWS names and a Redis database that nobody else has."""
    url = settings.stores.redis_url.get_secret_value().rpartition("/")[0]
    own = {
        "namespace": f"{settings.namespace}-{number}",
        "redis_url": SecretStr(f"{url}/{number + 1}"),
    }
    return settings.changed(own)


def _round(settings: Settings, number: int) -> Round:
    slot = slot_at(datetime.now(UTC))
    # The simulator knows the key of the first settings only.
    credentials = SecretsManagerCredentials(settings, settings.tt_secret_name)
    limits = api_limits(settings.tt)
    with _taking(_own(settings, 2 * number), credentials, limits, slot) as take:
        first = _whole(take(slot))
        second = _whole(take(slot + SLOT))
    limits = replace(limits, per_second=UNPACED, per_day=UNPACED)
    with _taking(_own(settings, 2 * number + 1), credentials, limits, slot) as take:
        unpaced = _whole(take(slot))
    environment = settings.tt.environment.value
    with closing(PlainApi(settings.tt_url, environment, credentials.get())) as api:
        plain = api.everything(first_fills(slot)[0])
    taken = {kind: result.rows for kind, result in first.kinds.items()}
    got = {"fills": plain.fills, "instruments": plain.instruments}
    if any(taken[kind] != count for kind, count in got.items()):
        raise BenchmarkError(f"the snapshot has {taken}, the plain loop got {plain}")
    return Round(first, second, unpaced, plain)


@contextmanager
def _taking(
    settings: Settings, credentials: SecretsManagerCredentials, limits: ApiLimits, slot: datetime
) -> Iterator[Callable[[datetime], SlotResult]]:
    """Takes slots into stores that are made, of which the clock says that they have just begun."""
    provision(settings)
    client = connect(settings)
    protection = Protection(limits, client)
    now = [slot]

    def take(slot: datetime) -> SlotResult:
        now[0] = slot + AFTER_THE_SLOT
        return taker.take(slot)

    try:
        with (
            TtStores.open(settings) as stores,
            TtClient(settings, client, credentials=credentials, protection=protection) as api,
        ):
            taker = SnapshotTaker(
                settings,
                stores,
                api,
                LatestIOManager(stores),
                HistoryIOManager(stores, {}),
                lambda: now[0],
            )
            yield take
    finally:
        disconnect(client)


def _whole(result: SlotResult) -> SlotResult:
    if not result.whole:
        raise BenchmarkError(f"a snapshot is {result.outcome}: {result.reason}")
    return result


def _items(settings: Settings, result: SlotResult) -> list[str]:
    """The very items that the snapshot put into the history."""
    items: list[str] = []
    with TtStores.open(settings) as stores:
        documents = {
            kind: read_document(stores.objects.get(item.key).data, item.key)
            for kind, item in result.kinds.items()
        }
    names = instrument_names(documents["instruments"])
    for kind, document in documents.items():
        snapshot = SNAPSHOTS_BY_KIND[kind]
        records = to_records(snapshot, snapshot.read(document, names), result.kinds[kind].key)
        items += dynamodb_items(with_keys(records))
    puts = sum(item.puts for item in result.kinds.values())
    if len(items) != puts:
        raise BenchmarkError(f"the snapshot put {puts} items, its documents have {len(items)}")
    return items
