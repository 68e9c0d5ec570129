"""The one loader: the only reader of the environment.

Build `Settings` with `load_settings` at the edge of a process (CLI command, Dagster resource) and
pass it, or the model of one concern, inwards; nothing is read at import time. People name a setting
by its flat name, that of its variable: `tt_deadline_seconds` is TRADE_ASSETS_TT_DEADLINE_SECONDS.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError as UnreadableSettingError

from trade_assets.errors import SettingsError
from trade_assets.settings.models import (
    PREFIX,
    AlarmSettings,
    ArrivalSettings,
    Concern,
    LocalSettings,
    RetentionSettings,
    StoreSettings,
    StreamSettings,
    TtSettings,
)

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_AWS_PORT: Final = 14566
LOCAL_AWS_ENDPOINT: Final = f"http://127.0.0.1:{LOCAL_AWS_PORT}"
LOCAL_DYNAMODB_ENDPOINT: Final = "http://127.0.0.1:14567"
"""Its own in profile `local`: tables on disk, where the stand-in keeps them in memory."""
TT_BASE_URL: Final = "https://ttrestapi.trade.tt"

_URL_PASSWORD: Final = re.compile(r"(?<=://)[^/@\s:]*:([^/@\s]+)@")


Owner = Annotated[str, StringConstraints(pattern=r"^(team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+)$")]
"""A team or the e-mail address of a person, as Dagster takes them."""


class Profile(StrEnum):
    """Where the stores are."""

    LOCAL = "local"  # this machine only, no credential
    AWS = "aws"  # the ordinary AWS credential chain


class AwsService(StrEnum):
    """The services of AWS that are used, as botocore's variables of their endpoints name them."""

    S3 = "s3"
    SQS = "sqs"
    DYNAMODB = "dynamodb"
    SNS = "sns"
    SECRETS_MANAGER = "secrets_manager"
    STS = "sts"
    SSM = "ssm"

    @property
    def client_name(self) -> str:
        """What boto3 calls its client."""
        return self.value.replace("_", "")


class PlatformSettings(Concern):
    """What every part of the platform shares."""

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
    only: str = Field(
        "",
        pattern=r"^[a-z_, ]*$",
        description="Concepts of the local stack, parted by commas, e.g. `feeds,tt`; default: all.",
    )
    dagster_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Dagster's web server, which is asked to load the definitions again when older "
        "data land; `trade-assets up` needs none.",
    )
    asset_owners: dict[str, list[Owner]] = Field(
        default_factory=dict,
        description='Owners of a concept\'s assets, e.g. {"tt": ["team:execution"]}; default '
        "`team:<concept>`.",
    )


class Settings(BaseModel, frozen=True):
    """All settings of the platform, concern by concern, and the names that follow from them."""

    platform: PlatformSettings = Field(default_factory=PlatformSettings)
    stores: StoreSettings = Field(default_factory=StoreSettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    arrival: ArrivalSettings = Field(default_factory=ArrivalSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    tt: TtSettings = Field(default_factory=TtSettings)
    alarms: AlarmSettings = Field(default_factory=AlarmSettings)
    local: LocalSettings = Field(default_factory=LocalSettings)

    @model_validator(mode="after")
    def _local_stays_local(self) -> Self:
        if self.profile is Profile.LOCAL:
            for name, url in (
                ("AWS endpoint", self.aws_endpoint),
                *((f"{service} endpoint", self.aws_endpoint_of(service)) for service in AwsService),
                ("Redis URL", self.stores.redis_url.get_secret_value()),
                ("TT base URL", self.tt_url),
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

    def changed(self, changes: Mapping[str, object]) -> Self:
        """These settings with other values, by flat name; values are taken as they are."""
        updates: dict[str, dict[str, object]] = {}
        for flat, value in changes.items():
            concern, field = _PLACES[flat]
            updates.setdefault(concern, {})[field] = value
        concerns = {
            concern: getattr(self, concern).model_copy(update=fields)
            for concern, fields in updates.items()
        }
        return self.model_copy(update=concerns)

    @property
    def profile(self) -> Profile:
        """Where the stores are."""
        return self.platform.profile

    @property
    def namespace(self) -> str:
        """Prefix of every AWS name."""
        return self.platform.namespace

    @property
    def aws_endpoint(self) -> str | None:
        """The endpoint of AWS's services that have none of their own; None means AWS's."""
        stores = self.stores
        if stores.aws_endpoint_url and not stores.aws_ignore_configured_endpoint_urls:
            return stores.aws_endpoint_url
        return LOCAL_AWS_ENDPOINT if self.profile is Profile.LOCAL else None

    def aws_endpoint_of(self, service: AwsService) -> str | None:
        """The endpoint of a service, by botocore's rules; None means AWS's own."""
        stores = self.stores
        own: str | None = getattr(stores, f"aws_endpoint_url_{service.value}")
        if not stores.aws_ignore_configured_endpoint_urls:
            configured = own or stores.aws_endpoint_url
            if configured:
                return configured
        if self.profile is Profile.LOCAL and service is AwsService.DYNAMODB:
            return LOCAL_DYNAMODB_ENDPOINT
        return self.aws_endpoint

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
        if self.tt.base_url:
            return self.tt.base_url.rstrip("/")
        if self.profile is Profile.LOCAL:
            return f"http://127.0.0.1:{self.local.tt_simulator_port}"
        return TT_BASE_URL

    @property
    def tt_secret_name(self) -> str:
        """Secret of Secrets Manager that holds TT's application key and secret."""
        return f"{self.namespace}/tt/{self.tt.environment.value}"

    @property
    def alarms_topic(self) -> str:
        """SNS topic of the notices."""
        return f"{self.namespace}-alarms"

    @cached_property
    def home_path(self) -> Path:
        """`home`, absolute."""
        return self.platform.home.expanduser().resolve()

    @property
    def log_level(self) -> str:
        """From which level on our own loggers are heard."""
        return self.platform.log_level

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What no log may show: Redis's password and the webhook, as they may turn up in texts."""
        match = _URL_PASSWORD.search(self.stores.redis_url.get_secret_value())
        # redis-py hands the decoded one to the server.
        password = (match.group(1), unquote(match.group(1))) if match else ()
        return tuple(dict.fromkeys([*password, *self.alarms.webhook_texts]))

    @property
    def redis_display_url(self) -> str:
        """The Redis URL without its password, for people and logs."""
        parts = urlsplit(self.stores.redis_url.get_secret_value())
        return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"


def load_settings(**overrides: object) -> Settings:
    """Read the environment, then apply `overrides` by flat name.

    Raises:
        SettingsError: naming each setting that is wrong and why, without its value.
    """
    concerns: dict[str, Concern] = {}
    problems: list[str] = []
    unknown = overrides.keys() - _PLACES.keys()
    if unknown:
        raise SettingsError(f"settings: there is no {', '.join(sorted(unknown))}")
    for name, model in _CONCERNS.items():
        own: dict[str, Any] = {
            field: overrides[flat]
            for flat, (concern, field) in _PLACES.items()
            if concern == name and flat in overrides
        }
        try:
            concerns[name] = model(**own)
        except ValidationError as error:
            problems += _problems(error, model)
        except UnreadableSettingError as error:
            # A list or dict that is no JSON; the message names the field, and its cause the value.
            problems.append(_named(str(error), model))
    if problems:
        raise SettingsError(f"settings: {'; '.join(problems)}") from None
    try:
        return Settings(**concerns)
    except ValidationError as error:
        raise SettingsError(f"settings: {'; '.join(_problems(error, Settings))}") from None


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

    Only fields that differ from their default are exported, under their own variables.
    """
    environment = dict(os.environ)
    for flat, (concern, field) in _PLACES.items():
        model = getattr(settings, concern)
        value = getattr(model, field)
        if field in model.model_fields_set and value is not None:
            environment[variable_of(flat)] = _variable_text(value)
    return {**environment, **extra}


def variable_of(flat: str) -> str:
    """The environment variable of a setting, by its flat name."""
    return f"{PREFIX}{flat.upper()}"


def setting_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting: its flat name, and its default, bounds and description."""
    for flat, (concern, field) in _PLACES.items():
        yield flat, _CONCERNS[concern].model_fields[field]


_CONCERNS: Final[Mapping[str, type[Concern]]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type)
}
"""The model of every concern, by its attribute of `Settings`."""


def _flat_name(model: type[Concern], field: str) -> str:
    """What people call a field: its variable without the platform's prefix, in small letters."""
    alias = model.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        alias = str(alias.choices[0])
    variable = str(alias) if alias else f"{model.model_config['env_prefix']}{field}"
    return variable.removeprefix(PREFIX).lower()


_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    _flat_name(model, field): (concern, field)
    for concern, model in _CONCERNS.items()
    for field in model.model_fields
}
"""Concern and field of every setting, by its flat name."""


def _problems(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    for item in error.errors(include_input=False, include_url=False):
        place = [str(part) for part in item["loc"]]
        if place and issubclass(model, Concern) and place[0] in model.model_fields:
            place[0] = _flat_name(model, place[0])
        yield f"{'.'.join(place) or 'settings'}: {item['msg']}"


def _named(text: str, model: type[Concern]) -> str:
    """A message of pydantic-settings with the flat names of the model's fields."""
    for field in model.model_fields:
        text = text.replace(f'"{field}"', f'"{_flat_name(model, field)}"')
    return text


def _variable_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
