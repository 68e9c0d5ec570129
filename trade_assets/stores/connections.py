"""Connections of a process to the stores' servers, and what a bundle of stores over them is.

Which stores a concern needs is its own business: `ingest.stores`, `feeds.stores`, `tt.stores`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.stores.retrying import NO_RETRIES, Retries
from trade_assets.stores.s3.objects import ObjectStore

if TYPE_CHECKING:
    import redis

BRIEF_SECONDS: Final = 5.0
"""So long calls of AWS are tried again where somebody waits: to be throttled is an everyday answer
there, and no sign that the store is away."""


class Connections:
    """Connections to Redis, DynamoDB and S3, each made when it is first used. Thread-safe.

    Args:
        settings: where they lead.
        patient: calls are tried again while a store is away, for as long as the settings say: for
            runs, which nobody waits for. Else only AWS is, and not for long.
        owing: with `patient`: not for long where records go, which is for who keeps what a store is
            owed and goes on without it.
    """

    def __init__(self, settings: Settings, patient: bool = True, *, owing: bool = False) -> None:
        self.settings = settings
        seconds = settings.stores.retry_seconds
        brief = min(seconds, BRIEF_SECONDS)
        self.redis_retries = Retries(brief if owing else seconds) if patient else NO_RETRIES
        self.dynamodb_retries = Retries(brief if owing or not patient else seconds)
        self.file_retries = Retries(seconds if patient else brief)

    @cached_property
    def redis(self) -> "redis.Redis":
        """A client of Redis, one server or a cluster."""
        return connect(self.settings)

    @cached_property
    def dynamodb(self) -> DynamoCalls:
        """Calls of DynamoDB."""
        return DynamoCalls(self.settings, self.dynamodb_retries)

    @cached_property
    def objects(self) -> ObjectStore:
        """The bucket."""
        return ObjectStore(self.settings, self.file_retries)

    def end_retries(self) -> None:
        """What is still being tried, in whatever thread, ends with its error; no more is tried."""
        for retries in (self.redis_retries, self.dynamodb_retries, self.file_retries):
            if retries is not NO_RETRIES:
                retries.abort()

    @contextmanager
    def ended_by_interruption(self) -> Iterator[None]:
        """As that of `Retries`, for whatever is tried over these connections."""
        with (
            self.dynamodb_retries.ended_by_interruption(),
            self.file_retries.ended_by_interruption(),
            self.redis_retries.ended_by_interruption(),
        ):
            yield

    def close(self) -> None:
        """Close what was made; what is still being tried in other threads ends with its error."""
        self.end_retries()
        for name in ("objects", "dynamodb"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "redis" in self.__dict__:
            disconnect(self.redis)


class StoreBundle:
    """The stores that one concern needs, over connections that several bundles may share."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    @classmethod
    def open(cls, settings: Settings, patient: bool = True) -> Self:
        """A bundle with connections of its own; as a context it closes them."""
        return cls(Connections(settings, patient))

    @property
    def settings(self) -> Settings:
        """Those of the connections."""
        return self.connections.settings

    @property
    def objects(self) -> ObjectStore:
        """The bucket."""
        return self.connections.objects

    def close(self) -> None:
        """Close the connections."""
        self.connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
