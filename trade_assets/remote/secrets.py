"""Where clients get their credentials: a key and a secret, in AWS Secrets Manager.

Nothing about a particular API belongs here. No text of this module (exception, log, repr) holds
more than a secret's name.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from trade_assets.errors import CredentialsError, NotAskedError, TransientError
from trade_assets.logs import get_logger, hide
from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, secretsmanager_client

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS: Final = 300.0
"""How long a credential is used before it is read again."""

POSTPONED_SECONDS: Final = 60.0
"""After a reading that failed while there is a credential, the next one is tried this later: every
try may take as long as the bounds allow."""

BOUNDS: Final = {
    "connect_timeout": 2,
    "read_timeout": 3,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
"""At worst some 11 s: it is read on the way to a remote API, within the deadline of a slot."""

_PRINTABLE: Final = frozenset(map(chr, range(0x21, 0x7F)))

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Credential:
    """What an application proves itself with."""

    key: SecretStr
    secret: SecretStr


class CredentialSource(Protocol):
    """Gives the credential of one API. Thread-safe."""

    def get(self) -> Credential:
        """The credential, perhaps as it was a few minutes ago.

        Raises:
            CredentialsError: there is none, or none that can be used.
            NotAskedError: it cannot be read now.
        """
        ...

    def refresh(self) -> Credential:
        """The credential as it is now; raises as `get`."""
        ...


def is_usable(value: object) -> bool:
    """Whether it is a text that a header can hold: printable ASCII without spaces, not empty.

    Whatever else stands where a credential should is a mangled copy of it.
    """
    return isinstance(value, str) and bool(value) and _PRINTABLE.issuperset(value)


class SecretsManagerCredentials:
    """The credential in one secret of Secrets Manager, as JSON `{"key": …, "secret": …}`.

    While Secrets Manager is away, the one that was read last goes on being used.
    """

    def __init__(
        self,
        settings: Settings,
        secret_name: str,
        *,
        kept_seconds: float = KEPT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read yet. `settings` say where Secrets Manager is."""
        self._settings = settings
        self._name = secret_name
        self._kept_seconds = kept_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: SecretsManagerClient | None = None
        self._credential: Credential | None = None
        self._read_again_at = 0.0

    def get(self) -> Credential:
        """As `CredentialSource.get`: read at most every `kept_seconds`."""
        with self._lock:
            if self._credential is None or self._monotonic() >= self._read_again_at:
                return self._read()
            return self._credential

    def refresh(self) -> Credential:
        """As `CredentialSource.refresh`: what Secrets Manager has now."""
        with self._lock:
            return self._read()

    def _read(self) -> Credential:
        try:
            text = self._ask()
        except NotAskedError as error:
            if self._credential is None:
                raise
            self._read_again_at = self._monotonic() + POSTPONED_SECONDS
            _log.warning("the last credential goes on being used", reason=str(error))
            return self._credential
        self._credential = _parse(self._name, text)
        self._read_again_at = self._monotonic() + self._kept_seconds
        return self._credential

    def _ask(self) -> str:
        try:
            if self._client is None:
                self._client = secretsmanager_client(self._settings, **BOUNDS)
            answer = self._client.get_secret_value(SecretId=self._name)
        except (ClientError, BotoCoreError) as error:
            refusal = _refusal(self._name, error)
        else:
            return answer.get("SecretString", "")
        # Outside the handler: nothing of AWS's error hangs on ours.
        raise refusal


def _refusal(name: str, error: ClientError | BotoCoreError) -> Exception:
    """Our error for one of AWS: its code, never its text (which names accounts and users)."""
    code = type(error).__name__
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", code))
    if isinstance(as_store_error(error, ""), TransientError):
        return NotAskedError(f"secret {name!r} cannot be read now from Secrets Manager: {code}")
    return CredentialsError(
        f"secret {name!r} cannot be read from Secrets Manager: {code}; it must exist and be "
        "readable for this process"
    )


def _parse(name: str, text: str) -> Credential:
    """The credential in a secret's text.

    Raises:
        CredentialsError: it holds none. Raised outside of any handler, because the errors of JSON
            parsers keep what they parsed.
    """
    values = _loads(text)
    pair = (values.get("key"), values.get("secret")) if isinstance(values, dict) else (None, None)
    key, secret = pair
    if not is_usable(key) or not is_usable(secret) or ":" in str(key):
        raise CredentialsError(
            f'secret {name!r} is not of the form {{"key": "…", "secret": "…"}} with printable '
            "texts, the key without a colon"
        )
    hide(str(key), str(secret))
    return Credential(SecretStr(str(key)), SecretStr(str(secret)))


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
