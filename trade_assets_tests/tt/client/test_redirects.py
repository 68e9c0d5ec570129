"""Redirects: followed within the origin, never beyond it, and each hop counted."""

import pytest

from trade_assets.errors import (
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
)
from trade_assets_tests.support.scripted_server import running_server
from trade_assets_tests.tt.client.conftest import Api
from trade_assets_tests.tt.client.samples import (
    ORDERS_PATH,
    TOKEN_PATH,
    credential,
    error_reply,
    order,
    orders_reply,
    token_reply,
)

ELSEWHERE = "/Elsewhere/Orders"


def _to(location: str, status: int = 303) -> dict[str, object]:
    return {"status": status, "headers": {"Location": location}}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_hop_carries_the_credentials_and_a_request_id_of_its_own(api: Api, status: int) -> None:
    api.server.script(
        {
            TOKEN_PATH: [token_reply()],
            ORDERS_PATH: [_to(f"{ELSEWHERE}?page=1&empty=&requestId=old", status)],
            ELSEWHERE: [orders_reply(order(1))],
        }
    )
    client = api.client()
    assert len(client.orders()[0].rows) == 1
    (first,), (second,) = api.server.seen(ORDERS_PATH), api.server.seen(ELSEWHERE)
    assert second.headers["authorization"] == first.headers["authorization"]
    assert second.query["page"] == "1"
    assert second.target.count("requestId=") == 1
    assert second.query["requestId"] not in ("old", first.query["requestId"])
    assert client.protection.state().budget_used == 3
    assert client.protection.tally.attempts == 3


def test_three_hops_are_followed_and_no_more(api: Api) -> None:
    replies = [_to(ORDERS_PATH)] * 3
    api.script(ttledger_orders=[*replies, orders_reply(order(1))])
    assert len(api.client().orders()) == 1
    api.script(ttledger_orders=[*replies, _to(ORDERS_PATH), orders_reply()])
    with pytest.raises(MalformedAnswerError, match="redirects"):
        api.client().orders()
    assert len(api.server.seen(ORDERS_PATH)) == 4


def test_retries_are_those_of_one_call_however_many_hops(api: Api) -> None:
    """Not as many again after every hop: two attempts, one of them spent before the hop."""
    api.server.script(
        {
            TOKEN_PATH: [token_reply()],
            ORDERS_PATH: [error_reply(500), _to(ELSEWHERE)],
            ELSEWHERE: [error_reply(500)],
        }
    )
    with pytest.raises(RemoteUnavailableError, match="500"):
        api.client().orders()
    assert len(api.server.seen(ORDERS_PATH)) == 2
    assert len(api.server.seen(ELSEWHERE)) == 1


def test_a_token_is_fetched_where_the_answer_points(api: Api) -> None:
    api.server.script(
        {
            TOKEN_PATH: [_to("/session")],
            "/session": [token_reply()],
            ORDERS_PATH: [orders_reply()],
        }
    )
    api.client().orders()
    (hop,) = api.server.seen("/session")
    assert (hop.method, hop.body) == ("GET", "")
    assert "content-type" not in hop.headers


def test_the_secret_is_not_posted_anywhere_else(api: Api) -> None:
    api.server.script({TOKEN_PATH: [_to("/session", 307)], "/session": [token_reply()]})
    with pytest.raises(MalformedAnswerError):
        api.client().orders()
    assert api.server.seen("/session") == []


def test_another_origin_gets_nothing(api: Api) -> None:
    with running_server() as other:
        location = f"{other.url}/{credential().secret.get_secret_value()}/path?query"
        api.script(ttledger_orders=[_to(location)])
        with pytest.raises(RemoteRejectedError, match=r"another origin \(127.0.0.1\)") as caught:
            api.client().orders()
        assert other.seen() == []
    assert "path" not in str(caught.value)


@pytest.mark.parametrize(
    "location", ["https://127.0.0.1", "//evil.example/x", "ftp://[", "x://h:b"]
)
def test_odd_origins_are_not_followed(api: Api, location: str) -> None:
    api.script(ttledger_orders=[_to(location)])
    with pytest.raises((RemoteRejectedError, MalformedAnswerError)):
        api.client().orders()


def test_a_user_in_a_location_goes_nowhere(api: Api) -> None:
    location = api.server.url.replace("://", "://user:password@") + "/there"
    api.server.script(
        {TOKEN_PATH: [token_reply()], ORDERS_PATH: [_to(location)], "/there": [orders_reply()]}
    )
    assert len(api.client().orders()) == 1
    assert api.server.seen("/there")[0].headers["authorization"].startswith("Bearer bearer-")
