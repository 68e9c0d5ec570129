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
from pydantic_settings import SettingsError as UnreadableSettingError

from trade_assets.errors import SettingsError

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_AWS_PORT = 14566
LOCAL_AWS_ENDPOINT = f"http://127.0.0.1:{LOCAL_AWS_PORT}"
TT_BASE_URL = "https://ttrestapi.trade.tt"

# What a request id of TT may hold (TT_API.md): letters, digits and few signs; no spaces.
_REQUEST_ID_PART = r"^[A-Za-z0-9_.!*'()-]{1,40}$"


class Profile(StrEnum):
    """Where the stores are."""

    LOCAL = "local"  # this machine only, no credential
    AWS = "aws"  # the ordinary AWS credential chain


class TtEnvironment(StrEnum):
    """Environments of the TT REST API; an application key belongs to one."""

    UAT = "ext_uat_cert"
    SIMULATION = "ext_prod_sim"
    LIVE = "ext_prod_live"


class TtTier(StrEnum):
    """What one pays TT for: how many requests a key may make."""

    FREE = "free"  # UAT only
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


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

    # TT snapshots
    tt_snapshots_enabled: bool = Field(
        True, description="Off: the snapshot sensor requests nothing."
    )
    tt_environment: TtEnvironment = Field(
        TtEnvironment.SIMULATION, description="Environment of the TT REST API."
    )
    tt_tier: TtTier = Field(
        TtTier.LOW,
        description="Limits of the TT key: `free` 3 requests a second and 10,000 a day (UAT only), "
        "`low` 5 and 15,000, `medium` 10 and 30,000, `high` 25 and 75,000.",
    )
    tt_base_url: str | None = Field(
        None, description="The TT REST API; default: TT's own, in profile `local` the simulator."
    )
    tt_application: str = Field(
        "trade-assets", pattern=_REQUEST_ID_PART, description="First part of TT request ids."
    )
    tt_company: str = Field(
        "desk", pattern=_REQUEST_ID_PART, description="Second part of TT request ids."
    )
    tt_market_hours: list[str] = Field(
        default_factory=list,
        description='When slots are due: `"globex"` (the exchange\'s sessions), `"always"`, or '
        'weekly windows in US Central such as `"Sun 17:00-Fri 16:00"`; default: `globex`, in '
        "profile `local` `always`.",
    )
    tt_maintenance: list[str] = Field(
        default_factory=list,
        description="When TT is not asked: weekly windows as above, or intervals such as "
        "`2026-11-21T10:00Z/2026-11-21T12:00Z`.",
    )
    tt_slot_tolerance_seconds: float = Field(
        5.0, gt=0, lt=30, description="A slot that is not requested this soon is missed."
    )
    tt_deadline_seconds: float = Field(
        20.0, gt=0, lt=30, description="How long all calls of one snapshot may take."
    )
    tt_call_seconds: float = Field(
        8.0, gt=0, lt=30, description="How long one call may take, with its retries."
    )
    tt_call_attempts: int = Field(4, ge=1, le=10, description="Most attempts of one call.")
    tt_breaker_failures: int = Field(
        5, ge=1, description="So many failures in a row open the circuit breaker."
    )
    tt_breaker_open_seconds: float = Field(
        25.0, gt=0, description="How long an open breaker stays open before a probe."
    )
    slot_runs_kept_hours: float = Field(6.0, gt=0, description="Older snapshot runs go.")

    # Alarms
    alarm_missed_slots: int = Field(3, ge=1, description="So many missed slots in a row alarm.")
    alarm_budget_percent: float = Field(
        80.0, gt=0, le=100, description="Use of a remote API's day budget that alarms."
    )
    slack_webhook_url: SecretStr | None = Field(
        None, description="Where notices go too, in Slack's format."
    )

    # Local stack
    tt_simulator_port: int = Field(8090, description="Of the TT simulator, on 127.0.0.1.")
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
                ("TT base URL", self.tt_url),
            ):
                host = urlsplit(url or "").hostname
                if host not in LOOPBACK_HOSTS:
                    raise ValueError(
                        f"the {name} points at {host!r}, but profile 'local' reaches only this "
                        "machine; unset AWS_ENDPOINT_URL or choose TRADE_ASSETS_PROFILE=aws"
                    )
        return self

    @model_validator(mode="after")
    def _tier_fits_environment(self) -> Self:
        if self.tt_tier is TtTier.FREE and self.tt_environment is not TtEnvironment.UAT:
            raise ValueError("tt_tier: TT gives `free` keys only for ext_uat_cert")
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

    @property
    def tt_url(self) -> str:
        """Base of the TT REST API, without a slash at the end."""
        if self.tt_base_url:
            return self.tt_base_url.rstrip("/")
        if self.profile is Profile.LOCAL:
            return f"http://127.0.0.1:{self.tt_simulator_port}"
        return TT_BASE_URL

    @property
    def tt_secret_name(self) -> str:
        """Secret of Secrets Manager that holds TT's application key and secret."""
        return f"{self.namespace}/tt/{self.tt_environment.value}"

    @property
    def alarms_topic(self) -> str:
        """SNS topic of the notices."""
        return f"{self.namespace}-alarms"

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
    except UnreadableSettingError as error:
        # A list or dict that is no JSON; the message names the field, and its cause the value.
        raise SettingsError(f"settings: {error}") from None


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
        elif isinstance(value, dict | list):
            value = json.dumps(value)
        environment[f"TRADE_ASSETS_{name.upper()}"] = str(value)
    return {**environment, **extra}
