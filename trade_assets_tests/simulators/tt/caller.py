"""A caller that keeps the API's rules, or breaks the one that a test is about. It shares no code
with the client of the platform."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import urllib3

from trade_assets.settings import Settings
from trade_assets.stores.aws import secretsmanager_client
from trade_assets_tests.support.tt import Simulator
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

ENVIRONMENT = "ext_prod_sim"
ORDERS = f"ttledger/{ENVIRONMENT}/orders"
FILLS = f"ttledger/{ENVIRONMENT}/fills"
POSITION = f"ttmonitor/{ENVIRONMENT}/position"
TOKEN = f"ttid/{ENVIRONMENT}/token"
FORM = "application/x-www-form-urlencoded"


def request_id() -> str:
    """A good one that nobody else has."""
    return f"trade-assets-desk--{uuid4()}"


def stored_pair(settings: Settings) -> tuple[str, str]:
    """Key and secret that Secrets Manager has."""
    answer = secretsmanager_client(settings).get_secret_value(SecretId=settings.tt_secret_name)
    pair = json.loads(answer["SecretString"])
    return pair["key"], pair["secret"]


@dataclass
class Caller:
    """Calls a simulator with a key, its secret, and a token."""

    simulator: Simulator
    key: str
    secret: str
    token: str = ""

    def authorise(self) -> urllib3.BaseHTTPResponse:
        """Ask for a token; keeps it if there is one."""
        form = f"grant_type=user_app&app_key={self.key}:{self.secret}".encode()
        headers = {"x-api-key": self.key, "Content-Type": FORM}
        answer = self.send("POST", TOKEN, {}, headers, form)
        if answer.status == 200:
            self.token = answer.json()["access_token"]
        return answer

    def headers(self) -> dict[str, str]:
        """Those of a good call."""
        return {"x-api-key": self.key, "Authorization": f"Bearer {self.token}"}

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send exactly this, but for a request id where `query` has none."""
        fields = {"requestId": request_id(), **query}
        url = f"{self.simulator.url}/{path}"
        with urllib3.PoolManager() as pool:
            if body is None:
                return pool.request(
                    method,
                    url,
                    fields=fields,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    timeout=PATIENCE_SECONDS,
                )
            url = f"{url}?requestId={fields['requestId']}"
            return pool.request(method, url, body=body, headers=headers, retries=False)

    def get(self, path: str, **query: str) -> urllib3.BaseHTTPResponse:
        """A good call."""
        return self.send("GET", path, query, self.headers())

    def rows(self, path: str, name: str, **query: str) -> list[dict[str, Any]]:
        """The rows of all pages of an endpoint."""
        body = self.get(path, **query).json()
        rows: list[dict[str, Any]] = body[name]
        while body["lastPage"] == "false":
            body = self.get(path, **{**query, "nextPageKey": body["nextPageKey"]}).json()
            rows += body[name]
        return rows
