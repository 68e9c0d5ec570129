"""The local Redis server itself."""

from pathlib import Path

import redis

from trade_assets.local.child_process import Part
from trade_assets.local.redis_server import answers_ping, redis_command, start_redis
from trade_assets.ports import LOOPBACK, free_port


def test_data_survives_a_restart(tmp_path: Path) -> None:
    with start_redis(tmp_path) as part, redis.Redis(port=part.port) as client:
        client.set("a", "1")
    with start_redis(tmp_path) as part, redis.Redis(port=part.port) as client:
        assert client.get("a") == b"1"


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with start_redis(tmp_path) as part, redis.Redis(port=part.port) as client:
        assert client.config_get("bind") == {"bind": LOOPBACK}


def test_a_password_is_asked_for_and_not_in_the_command(tmp_path: Path) -> None:
    port = free_port()
    command = redis_command(tmp_path, port, password="hidden-word")
    with Part(command, port, tmp_path / "redis.log") as part:
        part.await_ready(lambda: answers_ping(port, "hidden-word"))
        assert not answers_ping(port)
    assert not any("hidden-word" in word for word in command.arguments)


def test_a_server_that_is_not_there_does_not_answer() -> None:
    assert not answers_ping(free_port())
