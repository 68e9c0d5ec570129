"""Structured logs: one JSON object a line, with what is bound (run id, feed, file), no secret.

`configure` once at the edge of a process; `get_logger` anywhere. Context travels with
`structlog.contextvars.bound_contextvars(run_id=…, feed=…, file=…)`.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

from trade_assets.settings import Settings

REDACTED: Final = "[redacted]"
_SECRET_FIELD = re.compile(r"pass(word)?|secret|token|credential|authorization|api_?key", re.I)
_URL_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):([^/@\s]+)@")
_AWS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without the given secrets, passwords inside URLs and AWS key ids."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    return _AWS_KEY_ID.sub(REDACTED, text)


def _clean(name: str, value: Any, secrets: tuple[str, ...]) -> Any:
    if _SECRET_FIELD.search(name):
        return REDACTED
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {key: _clean(str(key), item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", item, secrets) for item in value]
    return value


def known_secrets(settings: Settings) -> tuple[str, ...]:
    """Secret values that the settings themselves hold: the password of the Redis URL."""
    match = _URL_PASSWORD.search(settings.redis_url.get_secret_value())
    return (match.group(2),) if match else ()


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is at each moment: others may replace and close it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log of this process, ours and the libraries', as JSON lines to `stream`.

    Libraries are heard from WARNING on. Default stream: standard error.
    """
    secrets = known_secrets(settings)

    def redactor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: _clean(key, value, secrets) for key, value in event.items()}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redactor,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream) if stream else _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    ours = logging.getLogger("trade_assets")
    ours.handlers = [handler]
    ours.setLevel(settings.log_level)
    ours.propagate = False
    root = logging.getLogger()
    if not any(isinstance(item, logging.StreamHandler) for item in root.handlers):
        root.addHandler(handler)
        root.setLevel(logging.WARNING)


def configure_run(settings: Settings, run_id: str) -> None:
    """`configure` for the process of a Dagster run; every log of this thread names the run."""
    configure(settings)
    structlog.contextvars.bind_contextvars(run_id=run_id)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; pass `__name__`."""
    return structlog.stdlib.get_logger(name)
