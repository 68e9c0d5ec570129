"""What the client sends, what it makes of answers, and how it pages, against a scripted server."""

import re

import pytest

from trade_assets.errors import (
    CredentialsError,
    MalformedAnswerError,
    NotAskedError,
    RemoteRejectedError,
    RemoteUnavailableError,
    SettingsError,
    ThrottledError,
)
from trade_assets.settings import load_settings
from trade_assets.tt.client.tt_client import TtClient
from trade_assets_tests.tt.client.conftest import Api
from trade_assets_tests.tt.client.samples import (
    FILLS_PATH,
    ORDERS_PATH,
    START_NS,
    TOKEN_PATH,
    credential,
    error_reply,
    fill,
    fills_reply,
    order,
    orders_reply,
    token_reply,
)

REQUEST_ID = re.compile(r"trade-assets-desk--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_a_call_carries_key_token_and_request_id_and_no_content_type(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply(order(1))])
    (answer,) = api.client().orders()
    token, asked = api.server.seen()

    assert (token.method, token.path) == ("POST", TOKEN_PATH)
    assert token.headers["x-api-key"] == credential().key.get_secret_value()
    assert token.headers["content-type"] == "application/x-www-form-urlencoded"
    key, secret = (part.get_secret_value() for part in (credential().key, credential().secret))
    assert token.body == f"grant_type=user_app&app_key={key}:{secret}"

    assert (asked.method, asked.path) == ("GET", ORDERS_PATH)
    assert asked.headers["x-api-key"] == key
    assert asked.headers["authorization"] == "Bearer bearer-1-9b1deb4d"
    assert "content-type" not in asked.headers
    assert list(asked.query) == ["requestId"]
    assert all(REQUEST_ID.fullmatch(item.query["requestId"]) for item in (token, asked))

    (row,) = answer.rows
    assert (row.order_id, row.tt_instrument_id) == ("order-1", "8092262517946017060")
    assert answer.path == "ttledger/orders"
    assert answer.query == {}
    assert answer.received_at.utcoffset() is not None


def test_orders_follow_the_keys_to_the_last_page(api: Api) -> None:
    replies = [orders_reply(order(1), next_key="k 1&"), orders_reply(next_key="k2"),
               orders_reply(order(2))]  # fmt: skip
    api.script(ttledger_orders=replies)
    answers = api.client().orders()
    assert [row.order_id for answer in answers for row in answer.rows] == ["order-1", "order-2"]
    assert [dict(answer.query) for answer in answers] == [
        {}, {"nextPageKey": "k 1&"}, {"nextPageKey": "k2"}
    ]  # fmt: skip
    asked = api.server.seen(ORDERS_PATH)
    assert [item.query.get("nextPageKey") for item in asked] == [None, "k 1&", "k2"]
    assert len({item.query["requestId"] for item in asked}) == 3


def test_fills_go_on_from_the_last_time_inclusive(api: Api) -> None:
    first = fills_reply(fill(1), fill(2, START_NS + 1))
    second = fills_reply(fill(2, START_NS + 1), fill(3, START_NS + 2))
    api.script(ttledger_fills=[first, second, fills_reply(fill(3, START_NS + 2))])
    got = api.client(fills_per_answer=2).fills(START_NS)
    assert [row.unique_execution_id for row in got.fills] == ["fill-1", "fill-2", "fill-3"]
    asked = [item.query["minTimestamp"] for item in api.server.seen(FILLS_PATH)]
    assert asked == [str(START_NS), str(START_NS + 1), str(START_NS + 2)]
    assert (got.truncated_at, got.stopped_by) == ((), None)


def test_one_short_answer_of_fills_costs_one_request(api: Api) -> None:
    api.script(ttledger_fills=[fills_reply(fill(1))])
    api.client().fills(START_NS)
    assert len(api.server.seen(FILLS_PATH)) == 1


def test_fills_that_cannot_be_fetched_to_the_end_are_there_up_to_where_it_failed(api: Api) -> None:
    api.script(ttledger_fills=[fills_reply(fill(1), fill(2, START_NS + 1)), error_reply(503)])
    got = api.client(fills_per_answer=2).fills(START_NS)
    assert [row.unique_execution_id for row in got.fills] == ["fill-1", "fill-2"]
    assert isinstance(got.stopped_by, RemoteUnavailableError)


def test_a_bad_row_leaves_the_others_and_the_bytes(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply(order(1), order(2, side=None), "nonsense", order(3))])
    (answer,) = api.client().orders()
    assert [row.order_id for row in answer.rows] == ["order-1", "order-3"]
    assert [bad.row for bad in answer.bad_rows] == [2, 3]
    assert "side" in answer.bad_rows[0].reason
    assert len(answer.raw_rows) == 4
    assert b"nonsense" in answer.data


def test_other_kinds_are_asked_at_their_paths(api: Api) -> None:
    rows = {"lastPage": "true", "status": "Ok"}
    product = "16143309052651006928"
    api.script(
        ttmonitor_position=[{"json": {**rows, "positions": [{"accountId": 1}]}}],
        ttmonitor_sod=[{"json": {**rows, "sods": []}}],
        ttpds_markets=[{"json": {**rows, "markets": [{"id": 7, "name": "CME"}]}}],
        ttpds_products=[{"json": {**rows, "products": []}}],
        ttpds_instruments=[{"json": {**rows, "instruments": []}}],
        ttpds_instrument_48777=[{"json": {"instrument": [{"id": "48777", "name": "ZNM5"}]}}],
    )
    client = api.client()
    assert len(client.positions()[0].bad_rows) == 1
    assert client.start_of_day()[0].rows == ()
    assert client.markets()[0].rows == ({"id": 7, "name": "CME"},)
    assert client.products("7")[0].query == {"marketId": "7"}
    assert client.instruments(product)[0].query == {"productId": product}
    answer = client.instrument("48777")
    assert (answer.path, answer.rows[0].instrument) == ("ttpds/instrument/48777", "ZNM5")
    assert all(item.target.partition("?")[0].islower() for item in api.server.seen())


@pytest.mark.parametrize("text", ["", "..", "1/2", "1?x=y", "٣", "1" * 41])
def test_what_is_no_instrument_id_is_never_asked_for(api: Api, text: str) -> None:
    api.script()
    with pytest.raises(RemoteRejectedError, match="no id"):
        api.client().instrument(text)
    assert api.server.seen() == []


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_refusal_carries_status_and_message_and_is_not_repeated(api: Api, status: int) -> None:
    api.script(ttledger_orders=[error_reply(status, "Missing  access\nrights")])
    with pytest.raises(RemoteRejectedError, match=f"{status}: Missing access rights") as caught:
        api.client().orders()
    assert caught.value.status == status
    assert not isinstance(caught.value, CredentialsError)
    assert len(api.server.seen(ORDERS_PATH)) == 1


def test_an_error_inside_a_200_is_an_error(api: Api) -> None:
    body = {"status": "Error", "statusCode": "404", "status_desc": "nothing here", "orders": []}
    api.script(ttledger_orders=[{"json": body}])
    with pytest.raises(RemoteRejectedError, match="nothing here") as caught:
        api.client().orders()
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "bad",
    [error_reply(408), error_reply(500), error_reply(503), error_reply(429, Retry_After="0"),
     {"drop": True},
     {"body": "<html>"}, {"json": []}, {"json": {"status": "Ok"}}, {"json": {"orders": []}},
     {"body": '{"orders": ['}, {"status": 204}, {"status": 300, "json": {"orders": []}},
     {"status": 303}, {"json": {"orders": [], "lastPage": "false"}}],
)  # fmt: skip
def test_what_may_pass_is_asked_again(api: Api, bad: dict[str, object]) -> None:
    api.script(ttledger_orders=[bad, orders_reply(order(1))])
    (answer,) = api.client().orders()
    assert len(answer.rows) == 1
    ids = {item.query["requestId"] for item in api.server.seen(ORDERS_PATH)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (error_reply(500), RemoteUnavailableError),
        (error_reply(429, Retry_After="0"), ThrottledError),
        ({"drop": True}, RemoteUnavailableError),
        ({"body": "<html>"}, MalformedAnswerError),
    ],
)
def test_what_does_not_pass_is_raised_after_the_last_attempt(
    api: Api, bad: dict[str, object], expected: type[Exception]
) -> None:
    api.script(ttledger_orders=[bad])
    with pytest.raises(expected):
        api.client().orders()
    assert len(api.server.seen(ORDERS_PATH)) == 2


def test_a_malformed_answer_brings_its_bytes(api: Api) -> None:
    api.script(ttledger_orders=[{"body": '{"orders": ['}])
    with pytest.raises(MalformedAnswerError) as caught:
        api.client().orders()
    assert caught.value.data == b'{"orders": ['


def test_pages_in_a_circle_are_malformed(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply(order(1), next_key="again")])
    with pytest.raises(MalformedAnswerError, match="circle"):
        api.client().orders()
    assert len(api.server.seen(ORDERS_PATH)) == 2


def test_a_stale_token_is_renewed_once_and_the_call_repeated(api: Api) -> None:
    api.script(ttledger_orders=[error_reply(401), orders_reply(order(1))])
    client = api.client()
    assert len(client.orders()[0].rows) == 1
    client.orders()
    sent = [item.headers["authorization"] for item in api.server.seen(ORDERS_PATH)]
    assert sent == ["Bearer bearer-1-9b1deb4d", *["Bearer bearer-2-9b1deb4d"] * 2]
    assert len(api.server.seen(TOKEN_PATH)) == 2


def test_a_token_that_is_stale_again_is_a_credentials_error(api: Api) -> None:
    api.script(ttledger_orders=[error_reply(401, "Unauthorized")])
    with pytest.raises(CredentialsError, match="Unauthorized"):
        api.client().orders()
    assert len(api.server.seen(ORDERS_PATH)) == 2
    assert len(api.server.seen(TOKEN_PATH)) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_token_is_a_credentials_error(api: Api, status: int) -> None:
    api.script(token=error_reply(status, "who are you"))
    with pytest.raises(CredentialsError, match="who are you"):
        api.client().orders()
    assert len(api.server.seen()) == 1


@pytest.mark.parametrize(
    "reply",
    [{"json": {}}, {"json": {"access_token": "a b", "seconds_until_expiry": 60}},
     {"json": {"access_token": "x\r\nHost: y", "seconds_until_expiry": 60}}, token_reply(0),
     token_reply("soon"), token_reply("nan"), {"body": "bearer-1"}],
)  # fmt: skip
def test_an_answer_without_a_usable_token_is_malformed_and_not_kept(
    api: Api, reply: dict[str, object]
) -> None:
    api.script(token=reply)
    with pytest.raises(MalformedAnswerError) as caught:
        api.client().orders()
    assert caught.value.data == b""


def test_without_redis_nothing_is_asked(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply()])
    away = api.settings.changed({"redis_url": load_settings(
        redis_url="redis://127.0.0.1:1/0").stores.redis_url})  # fmt: skip
    api.settings = away
    with pytest.raises(NotAskedError):
        api.client().orders()
    assert api.server.seen() == []


def test_credentials_do_not_travel_in_the_clear(api: Api) -> None:
    insecure = load_settings(profile="aws", tt_base_url="http://ttrestapi.trade.tt")
    with pytest.raises(SettingsError, match="https"):
        TtClient(insecure, api.redis())


def test_limits_are_those_of_the_environment_and_tier(api: Api) -> None:
    secure = load_settings(profile="aws")
    with TtClient(secure, api.redis()) as client:
        limits = client.protection.limits
    assert (limits.name, limits.per_second, limits.per_day) == ("tt:ext_prod_sim", 5, 15_000)
