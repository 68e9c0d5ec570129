"""The client against the TT simulator, a process of its own: good answers, and every fault."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from trade_assets.errors import (
    BreakerOpenError,
    CredentialsError,
    MalformedAnswerError,
    NotAskedError,
    RemoteUnavailableError,
    ThrottledError,
)
from trade_assets.remote.protection.limits import BreakerState
from trade_assets.remote.secrets import SecretsManagerCredentials
from trade_assets.settings import Settings, TtTier
from trade_assets.simulators.tt.faults import FaultKind
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.client.tt_client import TtClient
from trade_assets.tt.key_tiers import TIERS
from trade_assets_tests.support.tt import Simulator, running_simulator
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

ORDERS, FILL_PAGE = 25, 20
CALLS = 12
# Redis, where we count, is emptied between tests; the simulator does not know of that.
OPTIONS = [
    *("--orders", str(ORDERS), "--order-page", "10", "--fill-page", str(FILL_PAGE)),
    *("--redirect-share", "0.2", "--per-second", "1000", "--fills-per-minute", "0"),
]


@pytest.fixture(scope="module")
def simulator(module_settings: Settings) -> Iterator[Simulator]:
    with running_simulator(module_settings, *OPTIONS) as running:
        yield running


@pytest.fixture
def tt(simulator: Simulator) -> Iterator["Desk"]:
    simulator.clear()
    with ExitStack() as stack:
        yield Desk(simulator, stack)
    simulator.clear()


class Desk:
    """Clients of the simulator, each as of a process of its own, sharing a clean Redis."""

    def __init__(self, simulator: Simulator, stack: ExitStack) -> None:
        self.simulator = simulator
        self._stack = stack
        redis = connect(simulator.settings)
        redis.flushdb()
        disconnect(redis)

    def client(self, fills_per_answer: int = 500, **fields: object) -> TtClient:
        fields = {"tt_tier": TtTier.HIGH, "tt_call_seconds": PATIENCE_SECONDS, **fields}
        settings = self.simulator.settings.changed(fields)
        redis = connect(settings)
        self._stack.callback(disconnect, redis)
        client = TtClient(settings, redis, fills_per_answer=fills_per_answer)
        return self._stack.enter_context(client)


def test_a_snapshot_is_whole_and_typed(tt: Desk) -> None:
    first_ns = tt.simulator.fills(3 * FILL_PAGE, same_ns=3)
    client = tt.client(fills_per_answer=FILL_PAGE)
    orders = client.orders()
    assert len(orders) >= 3
    ids = {row.order_id for answer in orders for row in answer.rows}
    assert len(ids) == sum(len(answer.raw_rows) for answer in orders) >= ORDERS

    fills = client.fills(first_ns)
    assert len(fills.fills) == 3 * FILL_PAGE
    assert len(fills.answers) > 3
    assert (fills.truncated_at, fills.stopped_by) == ((), None)

    positions = client.positions()
    names = {row.tt_instrument_id for answer in positions for row in answer.rows}
    found = {client.instrument(name).rows[0].tt_instrument_id for name in sorted(names)[:2]}
    assert found <= names
    assert not any(item.bad_rows for item in orders)
    assert not any(item.bad_rows for item in fills.answers)
    assert not any(item.bad_rows for item in positions)


def test_reference_data_is_listed(tt: Desk) -> None:
    client = tt.client()
    (markets,) = client.markets()
    market = next(row for row in markets.rows if row["name"] == "CME")
    products = [row for page in client.products(str(market["id"])) for row in page.rows]
    (product, *_) = (row for row in products if row.get("symbol") == "ZN" or row.get("id"))
    instruments = client.instruments(str(product["id"]))
    assert all(row.product_id == product["id"] for page in instruments for row in page.rows)
    assert client.start_of_day()


def test_fills_of_one_nanosecond_beyond_an_answer_are_reported(tt: Desk) -> None:
    first_ns = tt.simulator.fills(2 * FILL_PAGE, same_ns=2 * FILL_PAGE)
    got = tt.client(fills_per_answer=FILL_PAGE).fills(first_ns)
    assert got.truncated_at == (first_ns,)
    assert len(got.fills) == FILL_PAGE


PASSING: list[tuple[str, dict[str, Any]]] = [
    ("latency", {"seconds": 0.3}),
    ("throttle", {"retry_after": 0}),
    ("throttle", {}),
    ("throttle", {"retry_after": 1}),
    ("server_error", {}),
    ("server_error", {"status": 502}),
    ("drop", {}),
    ("expired_token", {}),
    ("malformed", {}),
    ("malformed", {"body": "html"}),
    ("empty_page", {}),
    ("maintenance", {}),
    ("maintenance", {"retry_after": 1}),
]


@pytest.mark.parametrize(("kind", "options"), PASSING)
def test_a_fault_that_passes_costs_nothing_but_time(
    tt: Desk, kind: str, options: dict[str, Any]
) -> None:
    tt.simulator.fault(fault=kind, service="ttledger", count=1, **options)
    orders = tt.client().orders()
    assert sum(len(answer.rows) for answer in orders) >= ORDERS
    assert tt.simulator.faults() == []


def test_every_fault_of_the_simulator_is_tried() -> None:
    assert {kind for kind, _ in PASSING} == {kind.value for kind in FaultKind}


LASTING: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("latency", {"seconds": 30}, RemoteUnavailableError),
    ("throttle", {"retry_after": 0}, ThrottledError),
    ("server_error", {}, RemoteUnavailableError),
    ("drop", {}, RemoteUnavailableError),
    ("expired_token", {}, CredentialsError),
    ("malformed", {}, MalformedAnswerError),
    ("malformed", {"body": "html"}, MalformedAnswerError),
    ("maintenance", {}, RemoteUnavailableError),
]


@pytest.mark.parametrize(("kind", "options", "expected"), LASTING)
def test_a_fault_that_lasts_is_the_error_that_it_is(
    tt: Desk, kind: str, options: dict[str, Any], expected: type[Exception]
) -> None:
    tt.simulator.fault(fault=kind, service="ttledger", **options)
    seconds = 1.0 if kind == "latency" else PATIENCE_SECONDS
    client = tt.client(tt_call_seconds=seconds, tt_call_attempts=2)
    with pytest.raises(expected):
        client.orders()
    # What is broken is the ledger alone.
    assert tt.client().positions()


def test_a_lasting_fault_opens_the_breaker_and_nobody_asks(tt: Desk) -> None:
    tt.simulator.fault(fault="server_error")
    client = tt.client(tt_breaker_failures=3)
    with pytest.raises(RemoteUnavailableError):
        client.orders()
    assert client.protection.state().breaker is BreakerState.OPEN
    asked = tt.simulator.requests(0)["total"]
    with pytest.raises(BreakerOpenError):
        tt.client(tt_breaker_failures=3).positions()
    assert tt.simulator.requests(0)["total"] == asked


def test_who_asks_to_be_left_alone_is(tt: Desk) -> None:
    client = tt.client()
    client.positions()
    tt.simulator.fault(fault="throttle", count=1, retry_after=2 * PATIENCE_SECONDS)
    with pytest.raises(ThrottledError):
        client.orders()
    asked = tt.simulator.requests(0)["total"]
    with pytest.raises(NotAskedError):
        tt.client().orders()
    assert tt.simulator.requests(0)["total"] == asked


def test_an_empty_last_page_of_fills_is_no_fill(tt: Desk) -> None:
    tt.simulator.fault(fault="empty_page", endpoint="fills", count=1, last=True)
    assert tt.client().fills(tt.simulator.fills(1)).fills == ()


def test_a_secret_that_is_rotated_is_picked_up_by_a_running_client(tt: Desk) -> None:
    client = tt.client()
    client.positions()
    name = tt.simulator.settings.tt_secret_name
    secretsmanager_client(tt.simulator.settings).put_secret_value(
        SecretId=name, SecretString='{"key": "rotated-key-1", "secret": "rotated-secret-1"}'
    )
    assert client.positions()
    source = SecretsManagerCredentials(tt.simulator.settings, name)
    assert source.get().key.get_secret_value() == "rotated-key-1"


def test_the_limits_of_a_tier_are_kept_by_all_clients_together(module_settings: Settings) -> None:
    """From before the first permit until after the last answer takes as long as so many permits
    take at least. How many requests arrive together says less: a machine that stands still between
    a permit and its request lets it come with the next. `remote.protection`'s own tests count the
    permits of each second, on a clock of theirs."""
    begun = time.monotonic()
    asked = asked_by_two_clients(module_settings)
    took = time.monotonic() - begun
    assert asked["by_status"]["200"] >= CALLS
    assert took >= asked["total"] / TIERS[TtTier.LOW].per_second - 1.0


def asked_by_two_clients(settings: Settings) -> dict[str, Any]:
    """What a simulator counts of clients that ask as fast as they may."""
    with ExitStack() as stack:
        simulator = stack.enter_context(running_simulator(settings))
        desk = Desk(simulator, stack)
        clients = [desk.client(tt_tier=TtTier.LOW) for _ in range(2)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: clients[number % 2].positions(), range(CALLS)))
        return simulator.requests()
