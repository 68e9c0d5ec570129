"""Settings: the only module that reads the environment.

Every name is ``TRADE_ASSETS_<FIELD>`` in the environment; ``AWS_ENDPOINT_URL`` and ``AWS_REGION``
are honoured under their AWS names. Build one with :func:`load_settings` at the edge of a process
(CLI command, Dagster resource) and pass it inwards; nothing is read at import time.
"""

import json
import os
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from trade_assets.errors import SettingsError

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_AWS_PORT = 14566
LOCAL_AWS_ENDPOINT = f"http://127.0.0.1:{LOCAL_AWS_PORT}"


class Profile(StrEnum):
    """Where the stores are."""

    LOCAL = "local"  # this machine only, no credential
    AWS = "aws"  # the ordinary AWS credential chain


class Settings(BaseSettings):
    """All settings of the platform. Durations are in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix="TRADE_ASSETS_", extra="ignore", frozen=True, populate_by_name=True
    )

    profile: Profile = Field(
        Profile.LOCAL, description="`local`: this machine only, no credential; `aws`: AWS."
    )
    namespace: str = Field(
        "trade-assets",
        pattern=r"^[a-z0-9][a-z0-9-]{1,40}$",
        description="Prefix of every AWS name, and the bucket's name.",
    )
    home: Path = Field(Path(".trade_assets"), description="State of the local stack and the agent.")
    log_level: str = Field(
        "INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="Of our own loggers."
    )

    # Stores
    aws_region: str = Field(
        "us-east-1",
        validation_alias=AliasChoices("TRADE_ASSETS_AWS_REGION", "AWS_REGION"),
        description="Region of the AWS names; `AWS_REGION` is honoured too.",
    )
    aws_endpoint_url: str | None = Field(
        None,
        validation_alias=AliasChoices("TRADE_ASSETS_AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL"),
        description="Endpoint of all AWS clients; `AWS_ENDPOINT_URL` is honoured too.",
    )
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:16379/0"), description="Redis; may hold a password."
    )
    redis_cluster: bool = Field(False, description="The Redis URL names a cluster (MemoryDB).")
    updates_max_length: int = Field(10_000, gt=0, description="Entries kept in an update stream.")
    history_ttl_days: dict[str, int] = Field(
        default_factory=dict, description='Days kept per feed, e.g. {"actant/spot_risk": 400}.'
    )

    # Stream run
    stream_enabled: bool = Field(
        True, description="Off: the bucket sensor carries the feeds alone, one run a tick."
    )
    window_seconds: float = Field(3600.0, gt=0, description="Length of a stream run.")
    rollover_lead_seconds: float = Field(
        25.0, gt=0, description="The successor is requested this long before a window ends."
    )
    heartbeat_seconds: float = Field(0.5, gt=0, description="Between a stream run's heartbeats.")
    heartbeat_stale_seconds: float = Field(
        3.0, gt=0, description="A stream run without a heartbeat for this long is dead."
    )
    report_interval_seconds: float = Field(
        5.0, gt=0, description="At most one materialisation event per asset and this long."
    )
    receivers: int = Field(3, ge=1, le=16, description="Long polls on the queue at a time.")
    batch_max_files: int = Field(64, ge=1, description="Most files in a micro-batch.")
    store_retry_seconds: float = Field(
        60.0, gt=0, description="How long a batch is retried against a store that is away."
    )
    queue_visibility_seconds: int = Field(
        12, ge=2, description="A dead consumer's messages come back after this."
    )
    queue_max_receives: int = Field(5, ge=1, description="Then a message is a dead letter.")

    # Bucket sensor
    missed_after_seconds: float = Field(
        30.0, gt=0, description="A file this old that is in no ledger was not announced."
    )
    freshness_seconds: dict[str, float] = Field(
        default_factory=dict, description="Overrides of a feed's freshness limit."
    )
    gap_days: float = Field(
        7.0, gt=0, le=31, description="Days back in which gaps of the feeds are looked for."
    )
    partitions_start: str = Field("2025-01-01-00:00", description="First hour partition, UTC.")
    runs_kept_hours: float = Field(24.0, gt=0, description="Stream runs older than this go.")

    # Local stack
    dagster_port: int = Field(3000, description="Of the Dagster UI, on 127.0.0.1.")
    simulator_seed: int = Field(
        7, description="Of the simulated desk; the same seed, the same files."
    )
    simulator_interval_seconds: float = Field(
        1.0, gt=0, description="Between the simulated desk's spot-risk files."
    )

    @model_validator(mode="after")
    def _local_stays_local(self) -> Self:
        if self.profile is Profile.LOCAL:
            for name, url in (
                ("AWS endpoint", self.aws_endpoint),
                ("Redis URL", self.redis_url.get_secret_value()),
            ):
                host = urlsplit(url or "").hostname
                if host not in LOOPBACK_HOSTS:
                    raise ValueError(
                        f"the {name} points at {host!r}, but profile 'local' reaches only this "
                        "machine; unset AWS_ENDPOINT_URL or choose TRADE_ASSETS_PROFILE=aws"
                    )
        return self

    def __hash__(self) -> int:
        """By value, for caches keyed by settings; pydantic's own fails on the dict fields."""
        return hash(self.model_dump_json())

    @property
    def aws_endpoint(self) -> str | None:
        """The endpoint of every AWS client; None means AWS's own."""
        if self.aws_endpoint_url:
            return self.aws_endpoint_url
        return LOCAL_AWS_ENDPOINT if self.profile is Profile.LOCAL else None

    @property
    def bucket(self) -> str:
        """The one bucket."""
        return self.namespace

    @property
    def queue_name(self) -> str:
        """Queue of the bucket's notifications."""
        return f"{self.namespace}-feed-events"

    @property
    def dead_letter_queue_name(self) -> str:
        """Where a notification that failed `queue_max_receives` times ends."""
        return f"{self.namespace}-feed-events-dead"

    @property
    def history_table(self) -> str:
        """DynamoDB table of all records."""
        return f"{self.namespace}-history"

    @property
    def ledger_table(self) -> str:
        """DynamoDB table of ingested file versions."""
        return f"{self.namespace}-ingest-ledger"

    @cached_property
    def home_path(self) -> Path:
        """`home`, absolute."""
        return self.home.expanduser().resolve()

    @property
    def redis_display_url(self) -> str:
        """The Redis URL without its password, for people and logs."""
        parts = urlsplit(self.redis_url.get_secret_value())
        return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"


def load_settings(**overrides: object) -> Settings:
    """Read the environment, then apply `overrides` by field name.

    Raises:
        SettingsError: naming each setting that is wrong and why, without its value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'settings'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"settings: {problems}") from None


def bypass_proxies_for_loopback() -> None:
    """Let no client of this process ask a proxy for this machine's own ports.

    To be called at the edge of a process: a proxy of the environment knows nothing of them.
    """
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = without_proxy(os.environ.get(name))


def without_proxy(excluded: str | None) -> str:
    """A NO_PROXY list that holds the loopback besides what it has."""
    hosts = [host for host in (excluded or "").split(",") if host]
    return ",".join(dict.fromkeys([*hosts, *sorted(LOOPBACK_HOSTS)]))


def child_environment(settings: Settings, **extra: str) -> dict[str, str]:
    """Environment for a process that shall see the same settings: today's, these, and `extra`.

    Only fields that differ from their default are exported, under their ``TRADE_ASSETS_`` names.
    """
    environment = dict(os.environ)
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if value is None:
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, dict):
            value = json.dumps(value)
        environment[f"TRADE_ASSETS_{name.upper()}"] = str(value)
    return {**environment, **extra}
