"""The bearer token: what it is, how TT is asked for one, how it is sealed for other processes."""

import base64
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from trade_assets.errors import CredentialsError, RemoteRejectedError
from trade_assets.logs import hide
from trade_assets.remote.exchange import Exchange, Question
from trade_assets.remote.http import Response
from trade_assets.remote.responses import ResponseJudge
from trade_assets.remote.secrets import Credential, is_usable
from trade_assets.tt.client.payloads import Payload, read_payload

TOKEN_PATH: Final = "ttid/token"  # noqa: S105 - a path
EARLY_SECONDS: Final = 600.0
"""A token is renewed this long before it expires, or at half its life where that is later."""

LONGEST_SECONDS: Final = 86_400.0
"""No token is used longer, whatever TT says of it."""

_REFUSED: Final = frozenset({400, 401, 403})
"""The first is OAuth's own for a grant that is not good (RFC 6749, 5.2)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token.

    Attributes:
        value: what goes into the header.
        credential: what it was given for; calls with it carry that key.
        obtained_at: before it was asked for, seconds since the epoch.
        expires_at: likewise.
    """

    value: SecretStr
    credential: Credential
    obtained_at: float
    expires_at: float

    @property
    def renew_at(self) -> float:
        """From when on a new one should be asked for; this one is good until it expires."""
        life = self.expires_at - self.obtained_at
        return self.expires_at - min(EARLY_SECONDS, life / 2)

    @property
    def hidden(self) -> tuple[SecretStr, ...]:
        """What no message about a call with it may hold."""
        return self.value, self.credential.secret, self.credential.key

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a call with it."""
        return {
            "x-api-key": self.credential.key.get_secret_value(),
            "Authorization": f"Bearer {self.value.get_secret_value()}",
        }


def ask_for_token(
    exchange: Exchange,
    credential: Credential,
    deadline: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Token:
    """A new token of TT.

    Raises:
        CredentialsError: TT does not accept the credential.
        RemoteRejectedError: it refuses for another reason.
        RemoteUnavailableError: it failed, answered nonsense, or was not asked.
    """
    key, secret = (part.get_secret_value() for part in (credential.key, credential.secret))
    hidden = (credential.secret, credential.key)
    judge = ResponseJudge(f"TT {TOKEN_PATH}", hidden, keep_data=False)
    question = Question(
        judge,
        exchange.url(TOKEN_PATH),
        headers={
            "x-api-key": key,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=f"grant_type=user_app&app_key={quote_plus(key)}:{quote_plus(secret)}".encode(),
    )

    def read(response: Response) -> Payload:
        return read_payload(judge, response, _fault)

    asked_at = clock()
    try:
        payload = exchange.ask(question, read, deadline)
    except RemoteRejectedError as error:
        if error.status in _REFUSED:
            raise CredentialsError(str(error), error.status) from None
        raise
    life = min(_seconds(payload), LONGEST_SECONDS)
    hide(payload["access_token"])
    return Token(SecretStr(payload["access_token"]), credential, asked_at, asked_at + life)


def _fault(payload: Payload) -> str | None:
    # A header takes nothing else, and the error of whoever tried would hold the token.
    if not is_usable(payload.get("access_token")):
        return "the answer has no access_token that a header can hold"
    if _seconds(payload) <= 0:
        return "the answer has no seconds_until_expiry"
    return None


def _seconds(payload: Payload) -> float:
    """A number or its text; what is neither is 0."""
    try:
        seconds = float(payload.get("seconds_until_expiry", 0))
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


class Seal:
    """Makes a token unreadable for whoever lacks the secret that it was given for.

    The key is derived from the application secret, so there is nothing else to keep or to rotate,
    and what a former secret sealed is simply unreadable. HKDF, not a slow hash: TT's secrets are
    random GUIDs, and every slot's process would pay for the slowness.
    """

    def __init__(self, credential: Credential, scope: str) -> None:
        """`scope` (URL and environment): a token of another one is unreadable too."""
        self._credential = credential
        derived = HKDF(
            SHA256(), 32, salt=None,
            info=orjson.dumps(["tt token 1", scope, credential.key.get_secret_value()]),
        ).derive(credential.secret.get_secret_value().encode())  # fmt: skip
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, token: Token) -> str:
        """A text that only `open` of the same credential and scope reads."""
        return self.close_text(
            orjson.dumps(
                [token.value.get_secret_value(), token.obtained_at, token.expires_at]
            ).decode()
        )

    def open(self, sealed: str) -> Token | None:
        """The token, or None: it was sealed otherwise, or is damaged."""
        text = self.open_text(sealed)
        parts: list[Any] = orjson.loads(text) if text else []
        if not parts:
            return None
        value, obtained_at, expires_at = parts
        hide(value)
        return Token(SecretStr(value), self._credential, obtained_at, expires_at)

    def close_text(self, text: str) -> str:
        """Any text, sealed."""
        return self._fernet.encrypt(text.encode()).decode()

    def open_text(self, sealed: str) -> str | None:
        """What `close_text` sealed, or None."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None
