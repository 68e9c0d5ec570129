"""The real local parts as the fixtures share them, and settings that keep tests apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from trade_assets.local import dynalite
from trade_assets.local.ministack import FOLDER_NAME, ensure_environment, start_ministack
from trade_assets.local.redis_server import start_redis
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings, load_settings

CHECKOUT = Path(__file__).resolve().parents[2]
REDIS_DATABASES = 4096


@dataclass
class LocalParts:
    """A running AWS stand-in and a running Redis, on free ports, with data in a temporary folder.

    Tests share them without seeing each other: `settings` gives each its own AWS names and its
    own Redis database.
    """

    aws_endpoint: str
    redis_port: int
    _databases: Iterator[int] = field(default_factory=lambda: iter(range(1, REDIS_DATABASES)))

    def settings(self, home: Path, **overrides: object) -> Settings:
        """Settings that nobody else has, with state in `home`; `overrides` by field name."""
        fields: dict[str, object] = {
            "namespace": f"t-{uuid4().hex[:12]}",
            "partitions_start": "2025-01-01-00:00",
            "home": home,
            "aws_endpoint_url": self.aws_endpoint,
            "local_history_hours": 0,  # tests write what landed long ago
            "redis_url": f"redis://{LOOPBACK}:{self.redis_port}/{next(self._databases)}",
        }
        return load_settings(**{**fields, **overrides})


def ministack_python() -> Path:
    """ministack's environment in the checkout: the one `make run` built, else built now."""
    return ensure_environment(CHECKOUT / ".trade_assets" / FOLDER_NAME)


def dynalite_folder() -> Path:
    """dynalite in the checkout: what `make run` installed, else installed now."""
    return dynalite.ensure_installed(CHECKOUT / ".trade_assets" / dynalite.FOLDER_NAME)


@contextmanager
def running_parts(folder: Path) -> Iterator[LocalParts]:
    """Both parts, for as long as the context lasts."""
    redis_options = {"databases": str(REDIS_DATABASES), "appendonly": "no"}
    with (
        start_ministack(ministack_python(), folder / "ministack") as ministack,
        start_redis(folder / "redis", options=redis_options) as redis,
    ):
        yield LocalParts(f"http://{LOOPBACK}:{ministack.port}", redis.port)
