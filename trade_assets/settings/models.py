"""The settings of each concern: a small model each, with its variables' names, defaults and bounds.

Reading the environment, and what concerns have to say to each other, is the `loader`'s business.
A field's variable is the model's prefix and the field's name, unless the field names its own.
Durations are in seconds unless the name says otherwise.
"""

from enum import StrEnum
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "TRADE_ASSETS_"

# What a request id of TT may hold (TT_API.md): letters, digits and few signs; no spaces.
_REQUEST_ID_PART: Final = r"^[A-Za-z0-9_.!*'()-]{1,40}$"

_SHORTEST_SECRET: Final = 8  # what is shorter cannot be told from ordinary text


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


class Concern(BaseSettings):
    """Settings of one concern: immutable, read from variables of one prefix."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True
    )


def _own_and_aws(variable: str) -> AliasChoices:
    """Our own variable, and that of every AWS client, which yields to it."""
    return AliasChoices(f"{PREFIX}{variable}", variable)


def _endpoint_of(service: str) -> Any:
    """The field of one service's endpoint; `service` as botocore's variables name it."""
    variable = f"AWS_ENDPOINT_URL_{service}"
    return Field(
        None,
        validation_alias=_own_and_aws(variable),
        description=f"Endpoint of this service alone; `{variable}` is honoured too.",
    )


class StoreSettings(Concern):
    """Where the stores are, and how patient their callers."""

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
    aws_endpoint_url_s3: str | None = _endpoint_of("S3")
    aws_endpoint_url_sqs: str | None = _endpoint_of("SQS")
    aws_endpoint_url_dynamodb: str | None = _endpoint_of("DYNAMODB")
    aws_endpoint_url_sns: str | None = _endpoint_of("SNS")
    aws_endpoint_url_secrets_manager: str | None = _endpoint_of("SECRETS_MANAGER")
    aws_endpoint_url_sts: str | None = _endpoint_of("STS")
    aws_endpoint_url_ssm: str | None = _endpoint_of("SSM")
    aws_ignore_configured_endpoint_urls: bool = Field(
        False,
        validation_alias=_own_and_aws("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
        description="The endpoints above do not count; "
        "`AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is honoured too.",
    )
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:16379/0"), description="Redis; may hold a password."
    )
    redis_cluster: bool = Field(False, description="The Redis URL names a cluster (MemoryDB).")
    updates_max_length: int = Field(10_000, gt=0, description="Entries kept in an update stream.")
    history_ttl_days: dict[str, int] = Field(
        default_factory=dict, description='Days kept per feed, e.g. {"actant/spot_risk": 400}.'
    )
    retry_seconds: float = Field(
        60.0,
        gt=0,
        validation_alias="TRADE_ASSETS_STORE_RETRY_SECONDS",
        description="How long work is retried against a store that is away.",
    )


class StreamSettings(Concern):
    """The stream run: its window, its queue, its heartbeat."""

    enabled: bool = Field(
        True,
        validation_alias="TRADE_ASSETS_STREAM_ENABLED",
        description="Off: the bucket sensor carries the feeds alone, one run a tick.",
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
    queue_visibility_seconds: int = Field(
        12, ge=2, description="A dead consumer's messages come back after this."
    )
    queue_max_receives: int = Field(5, ge=1, description="Then a message is a dead letter.")


class ArrivalSettings(Concern):
    """What is expected of data sets as they come, and from when on."""

    missed_after_seconds: float = Field(
        30.0, gt=0, description="A file this old that is in no ledger was not announced."
    )
    freshness_seconds: dict[str, float] = Field(
        default_factory=dict, description="Overrides of a feed's freshness limit."
    )
    ahead_seconds: float = Field(
        300.0,
        gt=0,
        validation_alias="TRADE_ASSETS_AHEAD_SECONDS",
        description="What is dated further behind the landing of its file is rejected.",
    )
    gap_days: float = Field(
        7.0, gt=0, le=31, description="Days back in which gaps of the feeds are looked for."
    )
    partitions_start: str | None = Field(
        None,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}:00$",
        description="First hour partition, UTC, e.g. `2025-01-01-00:00`; default: the first hour "
        "that has data.",
    )


class RetentionSettings(Concern):
    """How long Dagster's books are kept."""

    runs_kept_hours: float = Field(24.0, gt=0, description="Stream runs older than this go.")
    slot_runs_kept_hours: float = Field(6.0, gt=0, description="Older snapshot runs go.")


class TtSettings(Concern):
    """The TT account: which API, with which limits, and when it is asked."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}TT_")

    snapshots_enabled: bool = Field(True, description="Off: the snapshot sensor requests nothing.")
    environment: TtEnvironment = Field(
        TtEnvironment.SIMULATION, description="Environment of the TT REST API."
    )
    tier: TtTier = Field(
        TtTier.LOW,
        description="Limits of the TT key: `free` 3 requests a second and 10,000 a day (UAT only), "
        "`low` 5 and 15,000, `medium` 10 and 30,000, `high` 25 and 75,000.",
    )
    base_url: str | None = Field(
        None, description="The TT REST API; default: TT's own, in profile `local` the simulator."
    )
    application: str = Field(
        "trade-assets", pattern=_REQUEST_ID_PART, description="First part of TT request ids."
    )
    company: str = Field(
        "desk", pattern=_REQUEST_ID_PART, description="Second part of TT request ids."
    )
    market_hours: list[str] = Field(
        default_factory=list,
        description='When slots are due: `"globex"` (the exchange\'s sessions), `"always"`, or '
        'weekly windows in US Central such as `"Sun 17:00-Fri 16:00"`; default: `globex`, in '
        "profile `local` `always`.",
    )
    maintenance: list[str] = Field(
        default_factory=list,
        description="When TT is not asked: weekly windows as above, or intervals such as "
        "`2026-11-21T10:00Z/2026-11-21T12:00Z`.",
    )
    slot_tolerance_seconds: float = Field(
        5.0, gt=0, lt=30, description="A slot that is not requested this soon is missed."
    )
    deadline_seconds: float = Field(
        20.0, gt=0, lt=30, description="How long all calls of one snapshot may take."
    )
    call_seconds: float = Field(
        8.0, gt=0, lt=30, description="How long one call may take, with its retries."
    )
    call_attempts: int = Field(4, ge=1, le=10, description="Most attempts of one call.")
    breaker_failures: int = Field(
        5, ge=1, description="So many failures in a row open the circuit breaker."
    )
    breaker_open_seconds: float = Field(
        25.0, gt=0, description="How long an open breaker stays open before a probe."
    )

    @model_validator(mode="after")
    def _tier_fits_environment(self) -> Self:
        if self.tier is TtTier.FREE and self.environment is not TtEnvironment.UAT:
            raise ValueError("tt_tier: TT gives `free` keys only for ext_uat_cert")
        return self


class AlarmSettings(Concern):
    """When people are told, and where."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}ALARM_")

    missed_slots: int = Field(3, ge=1, description="So many missed slots in a row alarm.")
    budget_percent: float = Field(
        80.0, gt=0, le=100, description="Use of a remote API's day budget that alarms."
    )
    slack_webhook_url: SecretStr | None = Field(
        None,
        validation_alias="TRADE_ASSETS_SLACK_WEBHOOK_URL",
        description="Where notices go too, in Slack's format.",
    )

    @property
    def webhook_texts(self) -> tuple[str, ...]:
        """The webhook's URL, its path and its query: urllib3 names them apart."""
        if self.slack_webhook_url is None:
            return ()
        url = self.slack_webhook_url.get_secret_value()
        parts = urlsplit(url)
        texts = (url, parts.path, parts.query)
        return tuple(text for text in texts if len(text) >= _SHORTEST_SECRET)


class LocalSettings(Concern):
    """The local stack: its ports and its simulators."""

    tt_simulator_port: int = Field(8090, description="Of the TT simulator, on 127.0.0.1.")
    dagster_port: int = Field(3000, description="Of the Dagster UI, on 127.0.0.1.")
    history_hours: float = Field(
        12.0,
        ge=0,
        validation_alias="TRADE_ASSETS_LOCAL_HISTORY_HOURS",
        description="Hours that the local stack keeps records and files after they landed, those "
        "that come daily four days; 0: for ever.",
    )
    simulator_seed: int = Field(
        7, description="Of the simulated desk; the same seed, the same files."
    )
    simulator_interval_seconds: float = Field(
        1.0, gt=0, description="Between the simulated desk's spot-risk files."
    )
