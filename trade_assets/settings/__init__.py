"""Settings: a small typed model a concern (`models`), read by one loader (`loader`)."""

from trade_assets.settings.loader import (
    LOCAL_AWS_ENDPOINT,
    LOCAL_AWS_PORT,
    LOOPBACK_HOSTS,
    AwsService,
    Profile,
    Settings,
    bypass_proxies_for_loopback,
    child_environment,
    load_settings,
    setting_fields,
    variable_of,
    without_proxy,
)
from trade_assets.settings.models import (
    AlarmSettings,
    ArrivalSettings,
    RetentionSettings,
    StoreSettings,
    StreamSettings,
    TtEnvironment,
    TtSettings,
    TtTier,
)

__all__ = [
    "LOCAL_AWS_ENDPOINT",
    "LOCAL_AWS_PORT",
    "LOOPBACK_HOSTS",
    "AlarmSettings",
    "ArrivalSettings",
    "AwsService",
    "Profile",
    "RetentionSettings",
    "Settings",
    "StoreSettings",
    "StreamSettings",
    "TtEnvironment",
    "TtSettings",
    "TtTier",
    "bypass_proxies_for_loopback",
    "child_environment",
    "load_settings",
    "setting_fields",
    "variable_of",
    "without_proxy",
]
