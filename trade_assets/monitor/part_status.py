"""A part of the platform as a look finds it: whether it answers, within seconds, and what is wrong.

Which parts there are, and what is looked at in each, is for `store_checks` and the sections to say.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import orjson
import urllib3

from trade_assets.errors import PermanentError, StoreRejectedError, StoreUnavailableError
from trade_assets.logs import redact
from trade_assets.settings import Profile, Settings

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 5

IMPATIENT: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
    "retries": {"total_max_attempts": 1},
}
"""Options of AWS clients that look instead of work."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part of the platform: whether it answers, and what is wrong with it if anything is."""

    name: str
    where: str
    reachable: bool
    problem: str | None = None


class PartLooker:
    """Looks at parts; what goes wrong is an answer too. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secrets = settings.secret_values
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False
        )

    def look(
        self, name: str, where: str, look: Callable[[], Found]
    ) -> tuple[PartStatus, Found | None]:
        """Look at a part: its status, and what was found if it could be looked at."""
        try:
            found = look()
        # Whatever a part answers, or who answers in its place: the others still show.
        except Exception as error:
            answered = isinstance(error, PermanentError)
            text = str(error) if answered else _text(error)
            return PartStatus(name, where, answered, redact(text, self._secrets)), None
        return PartStatus(name, where, reachable=True), found

    def require_listener(self, endpoint: str | None) -> None:
        """Fail at once where nobody listens: the clients behind would try for seconds.

        Raises:
            StoreUnavailableError: nobody does.
        """
        if endpoint is None:
            return
        parts = urlsplit(endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
        except OSError as error:
            raise self._silent(endpoint) from error

    def dagster(self) -> PartStatus:
        """Dagster's webserver on this machine."""
        url = f"http://127.0.0.1:{self._settings.local.dagster_port}"
        return self.look("Dagster UI", url, lambda: self._ask_dagster(url))[0]

    def listener(self, name: str, url: str) -> PartStatus:
        """A program that is there if somebody listens at its URL."""
        return self.look(name, url, lambda: self.require_listener(url))[0]

    def _ask_dagster(self, url: str) -> None:
        try:
            answer = self._http.request("GET", f"{url}/server_info")
        except urllib3.exceptions.HTTPError as error:
            raise self._silent(url) from error
        try:
            known = "dagster_webserver_version" in orjson.loads(answer.data)
        except orjson.JSONDecodeError:
            known = False
        if answer.status != 200 or not known:
            raise StoreRejectedError(
                f"what answers at {url} is not Dagster (HTTP {answer.status}); "
                "TRADE_ASSETS_DAGSTER_PORT says where it is"
            )

    def _silent(self, url: str) -> StoreUnavailableError:
        local = self._settings.profile is Profile.LOCAL
        hint = " (`trade-assets up` starts it)" if local else ""
        return StoreUnavailableError(f"nothing answers at {url}{hint}")

    def close(self) -> None:
        """Give connections back."""
        self._http.clear()


def _text(error: Exception) -> str:
    text = str(error)
    return text if isinstance(error, StoreUnavailableError) else f"{type(error).__name__}: {text}"
