"""Every fault of the switch, on a running simulator; and the switch's own counting."""

import time

import pytest
import urllib3
from pydantic import ValidationError

from trade_assets.simulators.tt.faults import EDGE, INNER, Fault, FaultBoard, FaultKind
from trade_assets_tests.simulators.tt.caller import FILLS, ORDERS, POSITION, Caller
from trade_assets_tests.support.tt import Simulator
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

integration = pytest.mark.integration


@integration
def test_latency(simulator: Simulator, caller: Caller) -> None:
    simulator.fault(fault="latency", seconds=0.4, count=1, service="ttledger")
    before = time.monotonic()
    assert caller.get(ORDERS).status == 200
    assert time.monotonic() - before >= 0.4  # a sleep is never shorter than asked for
    assert simulator.faults() == []


@integration
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"fault": "throttle"}, 429),
        ({"fault": "server_error"}, 500),
        ({"fault": "server_error", "status": 502}, 502),
        ({"fault": "maintenance"}, 503),
    ],
)
def test_refusals(
    simulator: Simulator, caller: Caller, fault: dict[str, object], status: int
) -> None:
    simulator.fault(**fault, count=1)
    simulator.fault(**fault, count=1, retry_after=2.5)
    first, second = caller.get(ORDERS), caller.authorise()
    assert (first.status, first.json()["statusCode"]) == (status, status)
    assert "Retry-After" not in first.headers
    assert (second.status, second.headers["Retry-After"]) == (status, "2.5")
    assert caller.get(ORDERS).status == 200


@integration
def test_a_dropped_connection_has_promised_more(simulator: Simulator, caller: Caller) -> None:
    simulator.fault(fault="drop", count=1)
    with pytest.raises(urllib3.exceptions.HTTPError, match="IncompleteRead"):
        caller.get(ORDERS)
    assert caller.get(ORDERS).status == 200
    assert simulator.requests()["by_status"]["0"] >= 1


@integration
def test_an_expired_token_is_good_for_nothing(simulator: Simulator, caller: Caller) -> None:
    simulator.fault(fault="expired_token", count=1)
    assert [caller.get(ORDERS).status for _ in range(2)] == [401, 401]
    assert caller.authorise().status == 200
    assert caller.get(ORDERS).status == 200


@integration
@pytest.mark.parametrize("body", ["truncated", "html"])
def test_malformed_answers(simulator: Simulator, caller: Caller, body: str) -> None:
    simulator.fault(fault="malformed", count=1, body=body)
    answer = caller.get(ORDERS)
    assert answer.status == 200
    assert answer.data.startswith(b"<!DOCTYPE" if body == "html" else b'{"lastPage"')
    with pytest.raises(ValueError, match=r"."):
        answer.json()


@integration
def test_an_empty_page_is_followed_by_what_it_left_out(
    simulator: Simulator, caller: Caller
) -> None:
    simulator.fault(fault="empty_page", count=1)
    body = caller.get(ORDERS).json()
    assert (body["orders"], body["lastPage"]) == ([], "false")
    assert len(caller.rows(ORDERS, "orders", nextPageKey=body["nextPageKey"])) == 40
    simulator.fault(fault="empty_page", count=1, endpoint="fills")
    assert caller.get(FILLS).json()["fills"] == []
    assert caller.get(FILLS).json()["fills"]


@integration
def test_an_empty_page_may_claim_to_be_all(simulator: Simulator, caller: Caller) -> None:
    simulator.fault(fault="empty_page", last=True)
    assert caller.get(ORDERS).json() == {"lastPage": "true", "orders": [], "status": "Ok"}


@integration
def test_a_fault_of_an_endpoint_leaves_the_others_alone(
    simulator: Simulator, caller: Caller
) -> None:
    simulator.fault(fault="server_error", endpoint="orders")
    simulator.fault(fault="throttle", service="ttid")
    assert caller.get(ORDERS).status == 500
    assert caller.get(FILLS).status == 200
    assert caller.get(POSITION).status == 200
    assert caller.authorise().status == 429
    assert [item["fault"] for item in simulator.faults()] == ["server_error", "throttle"]
    simulator.clear()
    assert caller.get(ORDERS).status == 200


@integration
@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"fault": "fire"}', b'{"fault": "drop", "colour": "red"}']
)
def test_what_is_no_fault_is_refused(simulator: Simulator, body: bytes) -> None:
    url = f"{simulator.url}/simulator/faults"
    answer = urllib3.request("POST", url, body=body, timeout=PATIENCE_SECONDS)
    assert answer.status == 400
    assert answer.json()["error"]
    assert simulator.faults() == []


@pytest.mark.parametrize(
    "wrong",
    [{"fault": "latency"}, {"fault": "drop", "count": 0}, {"fault": "server_error", "status": 404}],
)
def test_faults_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)


def test_every_kind_but_latency_meets_calls_at_one_of_two_places() -> None:
    assert EDGE | INNER | {FaultKind.LATENCY} == set(FaultKind)
    assert not EDGE & INNER


def test_a_fault_ends_with_its_count_or_its_time() -> None:
    now = [0.0]
    board = FaultBoard(monotonic=lambda: now[0])
    board.add(Fault(fault=FaultKind.THROTTLE, count=2))
    board.add(Fault(fault=FaultKind.MAINTENANCE, seconds=10))

    def met() -> FaultKind | None:
        fault = board.take(EDGE, "ttledger", "orders")
        return fault.fault if fault else None

    assert [met() for _ in range(3)] == ["throttle", "throttle", "maintenance"]
    now[0] = 9.9
    assert board.listed()[0]["seconds_left"] == 0.1
    assert met() == "maintenance"
    now[0] = 10.0
    assert met() is None
    assert board.listed() == []
