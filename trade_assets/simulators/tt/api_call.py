"""One call to the simulated API: its parts, and whether it keeps the API's rules (TT_API.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from starlette.requests import Request

from trade_assets.simulators.tt.http_responses import Refusal

SERVICES: Final[Mapping[str, frozenset[str]]] = {
    "ttid": frozenset({"token"}),
    "ttledger": frozenset({"orders", "fills"}),
    "ttmonitor": frozenset({"position", "sod"}),
    "ttpds": frozenset({"markets", "products", "instruments", "instrument"}),
}
"""Endpoints by service."""

_BEARER: Final = "Bearer "
_WITH_ARGUMENT: Final = frozenset({"instrument"})
_PART: Final = r"""[^\s$&+,/:;=?@"<>#%{}|\\^~\[\]`]+"""
_HEX: Final = "[0-9a-fA-F]"
_REQUEST_ID: Final = re.compile(rf"{_PART}-{_PART}--{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        path: as it came.
        argument: what follows the endpoint in the path; empty if nothing does.
        query: of each name the last value.
    """

    method: str
    path: str
    service: str
    environment: str
    endpoint: str
    argument: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, request: Request) -> Self:
        """The call in a request."""
        path = request.url.path
        service, environment, endpoint, argument = (path.split("/", 4)[1:] + [""] * 4)[:4]
        return cls(
            method=request.method,
            path=path,
            service=service,
            environment=environment,
            endpoint=endpoint,
            argument=argument.rstrip("/"),
            query=dict(request.query_params),
            headers=request.headers,
        )

    @property
    def name(self) -> str:
        """Service and endpoint, for counters; `other` if the API has no such thing."""
        is_known = self.endpoint in SERVICES.get(self.service, ())
        return f"{self.service}/{self.endpoint}" if is_known else "other"

    @property
    def is_token(self) -> bool:
        """Whether it asks for a token."""
        return self.service == "ttid"

    @property
    def key(self) -> str:
        """The application key it shows; empty if none."""
        return self.headers.get("x-api-key", "")

    @property
    def token(self) -> str:
        """The bearer token it shows; empty if none."""
        header = self.headers.get("authorization", "")
        return header.removeprefix(_BEARER) if header.startswith(_BEARER) else ""


def check_form(call: Call, environment: str) -> None:
    """What can be said of a call without knowing who makes it.

    Raises:
        Refusal: 403, 404 or 405.
    """
    place = f"{call.service}/{call.environment}/{call.endpoint}"
    if place != place.lower():
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden: paths are lowercase")
    if call.environment != environment:
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden: the key is not of this environment")
    endpoints = SERVICES.get(call.service)
    if endpoints is None or call.endpoint not in endpoints:
        raise Refusal(HTTPStatus.NOT_FOUND, f"There is no {call.path}")
    if bool(call.argument) is not (call.endpoint in _WITH_ARGUMENT):
        raise Refusal(HTTPStatus.NOT_FOUND, f"There is no {call.path}")
    if call.method != ("POST" if call.is_token else "GET"):
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"Not with {call.method}")
    if call.method == "GET" and "content-type" in call.headers:
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden: a GET has no Content-Type")


def check_request_id(call: Call) -> None:
    """Whether its request id is `<app>-<company>--<guid>`.

    Raises:
        Refusal: 400.
    """
    if not _REQUEST_ID.fullmatch(call.query.get("requestId", "")):
        raise Refusal(HTTPStatus.BAD_REQUEST, "requestId is not <app>-<company>--<guid>")
