"""One token for all: threads, processes, restarts; sealed where it lies."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from trade_assets.errors import CredentialsError, NotAskedError
from trade_assets.settings import Settings, child_environment
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.client.token_cache import MOST_REPLACED, TokenCache
from trade_assets_tests.support.parts import CHECKOUT
from trade_assets_tests.support.waiting import PATIENCE_SECONDS
from trade_assets_tests.tt.client.conftest import Api, GivenCredentials
from trade_assets_tests.tt.client.one_caller import READY
from trade_assets_tests.tt.client.samples import (
    ORDERS_PATH,
    TOKEN_PATH,
    credential,
    error_reply,
    order,
    orders_reply,
    token_reply,
)

SLOW_TOKEN = {**token_reply(), "delay": 0.3}


def test_threads_ask_for_one_token(api: Api) -> None:
    api.script(token=SLOW_TOKEN, ttledger_orders=[orders_reply(order(1))])
    client = api.client()
    barrier = threading.Barrier(6)

    def ask(_: int) -> int:
        barrier.wait()
        return len(client.orders())

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [1] * 6
    assert len(api.server.seen(TOKEN_PATH)) == 1


def test_threads_that_meet_one_stale_token_renew_it_once(api: Api) -> None:
    stale = {**error_reply(401), "bearer": "bearer-1-9b1deb4d", "delay": 0.2}
    api.script(token=SLOW_TOKEN, ttledger_orders=[stale, orders_reply(order(1))])
    client = api.client()
    with ThreadPoolExecutor(3) as pool:
        assert len(list(pool.map(lambda _: client.orders(), range(3)))) == 3
    # The first one, and one for the stale one, though three calls met it.
    assert len(api.server.seen(TOKEN_PATH)) == 2


def test_processes_ask_for_one_token(api: Api) -> None:
    api.script(token=SLOW_TOKEN, ttledger_orders=[orders_reply(order(1))])
    callers = [
        subprocess.Popen(
            [sys.executable, "-m", "trade_assets_tests.tt.client.one_caller"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT,
            env=child_environment(api.settings),
        )
        for _ in range(3)
    ]  # fmt: skip
    with ExitStack() as stack:
        for caller in callers:
            stack.enter_context(caller)
            stack.callback(caller.kill)
        for caller in callers:
            assert caller.stdout is not None
            assert caller.stdout.readline().strip() == READY
        for caller in callers:
            assert caller.stdin is not None
            caller.stdin.write("go\n")
            caller.stdin.flush()
        said = [caller.communicate(timeout=PATIENCE_SECONDS)[0].strip() for caller in callers]
        assert said == ["1"] * 3
    assert len(api.server.seen(TOKEN_PATH)) == 1
    assert len(api.server.seen(ORDERS_PATH)) == 3


def test_the_next_process_uses_the_token_that_is_there(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply()])
    for _ in range(3):
        api.client().orders()
    assert len(api.server.seen(TOKEN_PATH)) == 1


def test_redis_holds_neither_token_nor_secret(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply()])
    api.client().orders()
    held = api.redis()
    (key,) = held.keys("tt:token:*")
    assert key == "tt:token:ext_prod_sim"
    assert 86_000 < held.ttl(key) <= 86_400
    sealed = held.get(key)
    assert "bearer" not in str(sealed)
    assert credential().secret.get_secret_value() not in str(sealed)


def test_another_secret_cannot_read_the_token(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply()])
    api.client().orders()
    api.client(GivenCredentials(credential(2))).orders()
    sent = [item.headers["x-api-key"] for item in api.server.seen(ORDERS_PATH)]
    assert sent == [credential(n).key.get_secret_value() for n in (1, 2)]
    assert len(api.server.seen(TOKEN_PATH)) == 2


def test_a_token_of_another_url_is_not_sent(
    api: Api, make_settings: Callable[..., Settings]
) -> None:
    api.script(ttledger_orders=[orders_reply()])
    api.client().orders()
    api.settings = api.settings.changed({"tt_base_url": f"{api.server.url}/."})
    cache = TokenCache(api.settings, api.redis())
    assert cache.read(credential()) is None


@pytest.mark.parametrize("damaged", ["", "nonsense", "gAAAA"])
def test_a_damaged_token_is_replaced(api: Api, damaged: str) -> None:
    api.script(ttledger_orders=[orders_reply()])
    api.redis().set("tt:token:ext_prod_sim", damaged)
    for _ in range(2):
        api.client().orders()
    assert len(api.server.seen(TOKEN_PATH)) == 1


def test_a_rotated_secret_is_picked_up_where_the_old_one_is_refused(api: Api) -> None:
    api.script(token=[error_reply(401), token_reply()], ttledger_orders=[orders_reply()])
    credentials = GivenCredentials(credential(1), credential(2))
    api.client(credentials).orders()
    assert credentials.refreshed == 1
    keys = [item.headers["x-api-key"] for item in api.server.seen()]
    assert keys == [credential(n).key.get_secret_value() for n in (1, 2, 2)]


def test_a_key_that_was_rotated_away_is_replaced_where_it_is_refused(api: Api) -> None:
    refused = {**error_reply(403), "bearer": "bearer-1-9b1deb4d"}
    api.script(ttledger_orders=[refused, orders_reply(order(1))])
    assert len(api.client(GivenCredentials(credential(1), credential(2))).orders()) == 1
    keys = [item.headers["x-api-key"] for item in api.server.seen()]
    assert keys == [credential(n).key.get_secret_value() for n in (1, 1, 2, 2)]


def test_a_refused_credential_is_not_tried_again_by_anybody(api: Api) -> None:
    api.script(token=error_reply(403), ttledger_orders=[orders_reply()])
    for _ in range(3):
        with pytest.raises(CredentialsError):
            api.client().orders()
    assert len(api.server.seen()) == 1
    # A corrected secret is tried at once.
    api.script(ttledger_orders=[orders_reply()])
    api.client(GivenCredentials(credential(2))).orders()


def test_tokens_that_are_never_accepted_are_not_fetched_again_and_again(api: Api) -> None:
    """Not by this process, and not by another: it would cost a request to TT for every call."""
    api.script(ttledger_orders=[error_reply(401)])
    client = api.client()
    calls = MOST_REPLACED + 3
    for asker in (*[client] * (calls - 1), api.client()):
        with pytest.raises(CredentialsError):
            asker.orders()
    assert len(api.server.seen(TOKEN_PATH)) == 1 + MOST_REPLACED
    assert len(api.server.seen(ORDERS_PATH)) == calls + MOST_REPLACED
    # A token for another secret is fetched, and replaced, at once.
    with pytest.raises(CredentialsError):
        api.client(GivenCredentials(credential(2))).orders()
    assert len(api.server.seen(TOKEN_PATH)) == 1 + MOST_REPLACED + 2


def test_a_refusal_of_the_rotated_secret_ends_it(api: Api) -> None:
    api.script(token=error_reply(401))
    with pytest.raises(CredentialsError):
        api.client(GivenCredentials(credential(1), credential(2))).orders()
    assert len(api.server.seen(TOKEN_PATH)) == 2


def test_who_waits_too_long_for_anothers_token_says_so(api: Api) -> None:
    api.script(ttledger_orders=[orders_reply()])
    cache = TokenCache(api.settings, api.redis())
    with cache.turn(0) as mine:
        assert mine
        with pytest.raises(NotAskedError, match="another caller"):
            api.client().orders(deadline=0.0)
    assert api.server.seen() == []


def test_the_cache_works_on_a_cluster(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    cache = TokenCache(redis_cluster_settings, client)
    with cache.turn(0) as mine, cache.turn(0) as second:
        assert (mine, second) == (True, False)
    assert cache.read(credential(77)) is None
    cache.note_refused(credential(77))
    assert cache.refused(credential(77))
    assert not cache.refused(credential(78))
    disconnect(client)
