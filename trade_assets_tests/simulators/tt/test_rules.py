"""The rules of the API, as a running simulator enforces them: paths, headers, ids, tokens, 303."""

import json
import time

import pytest

from trade_assets.settings import Settings
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.stores.provision import provision
from trade_assets.tt.resources import resources
from trade_assets_tests.simulators.tt.caller import (
    FORM,
    ORDERS,
    TOKEN,
    Caller,
    request_id,
    stored_pair,
)
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.tt import Simulator, running_simulator
from trade_assets_tests.support.waiting import eventually

pytestmark = pytest.mark.integration

GUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    "path",
    [
        "TTLEDGER/ext_prod_sim/orders",
        "ttledger/EXT_PROD_SIM/orders",
        "ttledger/ext_prod_sim/Orders",
        "ttledger/ext_prod_live/orders",
        "ttledger/ext_uat_cert/orders",
    ],
)
def test_another_case_or_environment_is_forbidden(caller: Caller, path: str) -> None:
    assert caller.get(path).status == 403


@pytest.mark.parametrize("left_out", ["x-api-key", "Authorization"])
def test_a_call_without_its_header_is_refused(caller: Caller, left_out: str) -> None:
    headers = {name: value for name, value in caller.headers().items() if name != left_out}
    status = 403 if left_out == "x-api-key" else 401
    assert caller.send("GET", ORDERS, {}, headers).status == status


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("x-api-key", "another", 403),
        ("Authorization", "Bearer another", 401),
        ("Authorization", "Basic another", 401),
        ("Content-Type", "application/json", 403),
    ],
)
def test_a_wrong_header_is_refused(caller: Caller, header: str, value: str, status: int) -> None:
    headers = {**caller.headers(), header: value}
    assert caller.send("GET", ORDERS, {}, headers).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_data_is_only_got(caller: Caller, method: str) -> None:
    assert caller.send(method, ORDERS, {}, caller.headers(), b"").status == 405


@pytest.mark.parametrize(
    "good", [f"a-b--{GUID}", f"trade-assets-desk--{GUID.upper()}", f"a_1.(x)-b!*'--{GUID}"]
)
def test_request_ids_by_the_rule_pass(caller: Caller, good: str) -> None:
    assert caller.get(ORDERS, requestId=good).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        GUID,
        f"app--{GUID}",
        f"app-company-{GUID}",
        f"app-company--{GUID[:-1]}",
        f"app-company--{GUID.replace('-', '')}",
        *(f"ap{sign}p-company--{GUID}" for sign in '$&+,/:;=?@"<>#%{}|\\^~[]` '),
        f"app-com pany--{GUID}",
    ],
)
def test_other_request_ids_are_refused(caller: Caller, wrong: str) -> None:
    assert caller.get(ORDERS, requestId=wrong).status == 400


def test_a_token_comes_for_key_and_secret_alone(caller: Caller) -> None:
    answer = caller.authorise()
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["seconds_until_expiry"] == 3600
    headers = {"x-api-key": caller.key, "Content-Type": FORM}

    def status(form: str) -> int:
        return caller.send("POST", TOKEN, {}, headers, form.encode()).status

    assert status(f"grant_type=user_app&app_key={caller.key}:wrong") == 401
    assert status("grant_type=user_app") == 401
    assert status(f"grant_type=password&app_key={caller.key}:{caller.secret}") == 400
    assert caller.send("GET", TOKEN, {}, {"x-api-key": caller.key}).status == 405


def test_a_path_with_a_slash_at_its_end_is_redirected(caller: Caller) -> None:
    query = {"requestId": request_id(), "minTimestamp": "5"}
    answer = caller.send("GET", "ttledger/ext_prod_sim/fills/", query, caller.headers())
    assert answer.status == 303
    target, _, kept = answer.headers["Location"].partition("?")
    assert target == "/ttledger/ext_prod_sim/fills"
    assert set(kept.split("&")) == {f"{name}={value}" for name, value in query.items()}


def test_what_was_asked_is_told_without_secrets(caller: Caller, simulator: Simulator) -> None:
    caller.get(ORDERS, oops=caller.secret)
    caller.get(f"ttledger/ext_prod_sim/{caller.token}")
    told = simulator.requests()
    asked = told["recent"][-2]
    assert asked["query"]["oops"] == "[hidden]"
    assert {"authorization", "x-api-key"} <= set(asked["headers"])
    assert asked["status"] == 200
    for secret in (caller.key, caller.secret, caller.token):
        assert secret not in json.dumps(told)
        assert secret not in simulator.text()


@pytest.fixture
def own_settings(local_parts: LocalParts, settings: Settings) -> Settings:
    """Settings with a secret that no other test has."""
    provision(settings, resources(settings))
    return settings


def test_a_rotated_secret_is_good_and_the_old_one_no_more(own_settings: Settings) -> None:
    with running_simulator(own_settings, "--redirect-share", "0", "--per-second", "99") as running:
        old = Caller(running, *stored_pair(own_settings))
        assert old.authorise().status == 200
        secretsmanager_client(own_settings).put_secret_value(
            SecretId=own_settings.tt_secret_name,
            SecretString=json.dumps({"key": "new-key-12345", "secret": "new-secret-12345"}),
        )
        new = Caller(running, "new-key-12345", "new-secret-12345")
        assert new.authorise().status == 200
        assert new.get(ORDERS).status == 200
        assert old.get(ORDERS).status == 403
        new.token = old.token  # of the old key
        assert new.get(ORDERS).status == 401


def test_limits_redirects_and_expiry_by_option(own_settings: Settings) -> None:
    options = ("--per-second", "4", "--per-day", "12", "--redirect-share", "0.5")
    with running_simulator(own_settings, *options, "--token-seconds", "1") as running:
        caller = Caller(running, *stored_pair(own_settings))
        caller.authorise()
        sent = [caller.get(ORDERS) for _ in range(6)]
        by_second = [answer for answer in sent if answer.status == 429]
        assert sum(answer.status == 303 for answer in sent) == 3
        assert all(answer.headers["Retry-After"] == "1" for answer in by_second)
        redirected = next(answer for answer in sent if answer.status == 303)
        assert redirected.headers["Location"].startswith(f"{running.url}/{ORDERS}?")
        assert caller.get(ORDERS, routed="1").status in {200, 401, 429}
        assert eventually(lambda: _is(caller, 401), "the token expires")
        answer = eventually(lambda: _spent(caller), "the day's requests are used up")
        assert "a day" in answer
        assert running.requests()["counted_today"] == 12


def _is(caller: Caller, status: int) -> bool:
    time.sleep(0.3)
    return caller.get(ORDERS, routed="1").status == status


def _spent(caller: Caller) -> str:
    answer = caller.get(ORDERS, routed="1")
    is_daily = answer.status == 429 and "Retry-After" not in answer.headers
    return str(answer.json()["status_message"]) if is_daily else ""


def test_without_a_secret_nobody_is_known(settings: Settings) -> None:
    with running_simulator(settings) as running:
        assert Caller(running, "key", "secret").authorise().status == 403
        provision(settings, resources(settings))
        assert Caller(running, *stored_pair(settings)).authorise().status == 200
