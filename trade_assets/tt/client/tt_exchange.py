"""What is TT's own about every request: its URL by environment, and the request id.

An id is by TT's rule `<application>-<company>--<guid>`, a new one for every attempt. TT identifies
a client by the first two parts; `TtSettings` lets only what the rule allows into them. How requests
are sent, redirected and protected is in `remote.exchange`.
"""

from typing import Final
from uuid import uuid4

from trade_assets.remote.exchange import AttemptExtras, Exchange, Question
from trade_assets.remote.http import Http
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings, TtSettings

_REQUEST_ID: Final = "requestId"


class TtExchange(Exchange):
    """Asks TT through its protection. Thread-safe."""

    def __init__(self, settings: Settings, protection: Protection, http: Http) -> None:
        """Raise SettingsError for a base URL that would send credentials in the clear."""
        self._tt = settings.tt
        super().__init__(
            settings.tt_url, protection, http, setting="tt_base_url", each_attempt=self._identified
        )

    def url(self, path: str) -> str:
        """The URL of `<service>/<endpoint>` in the environment of the settings; all lowercase."""
        service, _, endpoint = path.partition("/")
        return super().url(f"{service}/{self._tt.environment.value}/{endpoint}".lower())

    def _identified(self, _: Question) -> AttemptExtras:
        return AttemptExtras(query={_REQUEST_ID: new_request_id(self._tt)})


def new_request_id(tt: TtSettings) -> str:
    """An id that no other request has."""
    return f"{tt.application}-{tt.company}--{uuid4()}"
