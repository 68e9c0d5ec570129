"""TT asked in a plain loop: the requests of a snapshot one after the other, `json.loads`, no more.

No limits, no retries, no checks, no stores: what the platform adds is measured against this.
"""

import json
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import urllib3

from benchmarks.figures import BenchmarkError
from trade_assets.remote.secrets import Credential

FILLS_A_PAGE: Final = 500


@dataclass(frozen=True)
class PlainLoop:
    """What a loop came to; `bytes` are those of the answers."""

    seconds: float
    requests: int
    bytes: int
    orders: int
    fills: int
    instruments: int


class PlainApi:
    """Keeps its connection and its token, as a program that runs all day does."""

    def __init__(self, url: str, environment: str, credential: Credential) -> None:
        self._url = url
        self._environment = environment
        self._http = urllib3.PoolManager(retries=False, timeout=30.0)
        self._headers = {"x-api-key": credential.key.get_secret_value()}
        self._requests = 0
        self._bytes = 0
        token = self._token(credential)
        self._headers["Authorization"] = f"Bearer {token}"

    def everything(self, since_ns: int) -> PlainLoop:
        """All orders, fills since a time, positions, and the instruments that they name."""
        self._requests = self._bytes = 0
        begin = time.perf_counter()
        orders = self._orders()
        fills = self._fills(since_ns)
        positions = self._get("ttmonitor", "position")["positions"]
        ids = {row["instrumentId"] for row in (*orders, *fills, *positions)}
        for instrument_id in sorted(ids):
            self._get("ttpds", f"instrument/{instrument_id}")
        seconds = time.perf_counter() - begin
        return PlainLoop(seconds, self._requests, self._bytes, len(orders), len(fills), len(ids))

    def close(self) -> None:
        """Give the connection back."""
        self._http.clear()

    def _orders(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page: dict[str, str] = {}
        while True:
            answer = self._get("ttledger", "orders", **page)
            rows += answer["orders"]
            if answer["lastPage"] == "true":
                return rows
            page = {"nextPageKey": answer["nextPageKey"]}

    def _fills(self, since_ns: int) -> list[dict[str, Any]]:
        by_id: dict[str, dict[str, Any]] = {}
        while True:
            rows = self._get("ttledger", "fills", minTimestamp=str(since_ns))["fills"]
            by_id |= {row["uniqueExecId"]: row for row in rows}
            if len(rows) < FILLS_A_PAGE:
                return list(by_id.values())
            since_ns = rows[-1]["timeStamp"]

    def _token(self, credential: Credential) -> str:
        secret = credential.secret.get_secret_value()
        form = {
            "grant_type": "user_app",
            "app_key": f"{credential.key.get_secret_value()}:{secret}",
        }
        token = self._asked("POST", "ttid", "token", fields=form, encode_multipart=False)
        return str(token["access_token"])

    def _get(self, service: str, what: str, **query: str) -> dict[str, Any]:
        return self._asked("GET", service, what, fields={**query})

    def _asked(
        self, method: str, service: str, what: str, fields: dict[str, str], **options: Any
    ) -> dict[str, Any]:
        url = f"{self._url}/{service}/{self._environment}/{what}"
        request_id = f"bench-plain--{uuid4()}"
        if method == "GET":
            fields = {**fields, "requestId": request_id}
        else:
            url = f"{url}?requestId={request_id}"
        answer = self._http.request(
            method, url, fields=fields, headers=self._headers, redirect=False, **options
        )
        if answer.status != 200:
            raise BenchmarkError(f"{service}/{what}: HTTP {answer.status}")
        self._requests += 1
        self._bytes += len(answer.data)
        found: dict[str, Any] = json.loads(answer.data)
        return found
