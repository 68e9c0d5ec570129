"""Structured logs: one JSON object a line, with what is bound (run id, feed, file), no secret.

`configure` once at the edge of a process; `get_logger` anywhere. Context travels with
`structlog.contextvars.bound_contextvars(run_id=…, feed=…, file=…)`. Whoever learns a secret that
is no setting (a key out of Secrets Manager, a token) tells `hide`, so that none is ever written,
even where a library logs it.
"""

import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO, cast

if TYPE_CHECKING:
    import structlog

REDACTED: Final = "[redacted]"
SHORTEST_SECRET: Final = 8
"""What is shorter cannot be told from ordinary text, and is not looked for in it."""

MOST_HIDDEN: Final = 64
"""Secrets that `hide` remembers: tokens come every few hours, and old ones are worth nothing."""

_SECRET_FIELD = re.compile(
    r"pass(word)?|secret|token|credential|authorization|api_?key|app_?key|webhook", re.I
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):([^/@\s]+)@")
_AWS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_BEARER = re.compile(r"\b(bearer\s+)[\w.~+/=-]{8,}", re.I)
_KEY_PAIR = re.compile(r"""\b((?:x-api-key|app_key)['"]?\s*[=:]\s*['"]?)[^\s'"&,;})]+""", re.I)

_PLAIN = (int, float, bool, type(None))

_hidden: tuple[str, ...] = ()
_hiding = threading.Lock()


def hide(*secrets: str) -> None:
    """Let no log of this process show these values from now on, wherever they turn up."""
    global _hidden
    new = tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
    with _hiding:
        # Who is hidden again is in use: it goes to the end, where it is forgotten last.
        kept = [secret for secret in _hidden if secret not in new]
        _hidden = tuple(dict.fromkeys([*kept, *new]))[-MOST_HIDDEN:]


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without these and the hidden secrets, passwords in URLs, tokens and key ids."""
    for secret in (*secrets, *_hidden):
        text = text.replace(secret, REDACTED)
    text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    text = _BEARER.sub(rf"\1{REDACTED}", text)
    text = _KEY_PAIR.sub(rf"\1{REDACTED}", text)
    return _AWS_KEY_ID.sub(REDACTED, text)


def _clean(name: str, value: Any, secrets: tuple[str, ...]) -> Any:
    if _SECRET_FIELD.search(name):
        return REDACTED
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {
            redact(str(key), secrets): _clean(str(key), item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean("", item, secrets) for item in value]
    if isinstance(value, _PLAIN):
        return value
    return redact(repr(value), secrets)  # The renderer would write its repr as it is.


class LogOptions(Protocol):
    """What a process has to say about its logs; the settings have it."""

    @property
    def log_level(self) -> str:
        """Of our own loggers."""

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What no log may show."""


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is at each moment: others may replace and close it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def configure(options: LogOptions, stream: TextIO | None = None) -> None:
    """Send every log of this process, ours and the libraries', as JSON lines to `stream`.

    Libraries are heard from WARNING on. Default stream: standard error.
    """
    import structlog

    secrets = options.secret_values

    def redactor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        # What begins with "_" is structlog's own, and never rendered.
        return {
            key: value if key.startswith("_") else _clean(key, value, secrets)
            for key, value in event.items()
        }

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
    ours.setLevel(options.log_level)
    ours.propagate = False
    root = logging.getLogger()
    if not any(isinstance(item, logging.StreamHandler) for item in root.handlers):
        root.addHandler(handler)
        root.setLevel(logging.WARNING)


def configure_run(options: LogOptions, run_id: str) -> None:
    """`configure` for the process of a Dagster run; every log of this thread names the run."""
    configure(options)
    import structlog

    structlog.contextvars.bind_contextvars(run_id=run_id)


class _Logger:
    """A module's logger, made when it first logs: importing structlog takes as long as to read and
    show records."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _made(self) -> Any:
        import structlog

        return structlog.stdlib.get_logger(self._name)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._made, method)


def get_logger(name: str) -> "structlog.stdlib.BoundLogger":
    """The logger of a module; pass `__name__`."""
    return cast("structlog.stdlib.BoundLogger", _Logger(name))
