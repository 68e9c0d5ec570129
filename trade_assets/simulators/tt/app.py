"""The HTTP side of the simulator: one call from its arrival to its answer.

In this order: the faults that meet every call, redirects, the rules of the API, the key, its
limits, the token, the faults of good calls, the answer.
"""

import asyncio
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trade_assets.remote.secrets import CredentialSource
from trade_assets.simulators.tt.account import Market
from trade_assets.simulators.tt.api_call import Call, check_form, check_request_id
from trade_assets.simulators.tt.application_keys import Keys
from trade_assets.simulators.tt.endpoint_answers import Answers
from trade_assets.simulators.tt.faults import EDGE, INNER, Fault, FaultBoard, FaultKind
from trade_assets.simulators.tt.http_responses import Cut, Json, Refusal, malformed, refused
from trade_assets.simulators.tt.key_limits import KeyLimits
from trade_assets.simulators.tt.request_log import Entry, Journal
from trade_assets.simulators.tt.simulator_options import SimulatorOptions

HIDDEN: Final = "[hidden]"
_CUT: Final = 0
_GRANT: Final = "user_app"
_ROUTED: Final = "routed"


class TtApi:
    """The simulated API. One process, one event loop."""

    def __init__(
        self, market: Market, options: SimulatorOptions, environment: str, source: CredentialSource
    ) -> None:
        self.market = market
        self.journal = Journal()
        self.faults = FaultBoard()
        self.keys = Keys(source, options.token_seconds)
        self.limits = KeyLimits(options.per_second, options.per_day)
        self._options = options
        self._environment = environment
        self._answers = Answers(market, options)
        self._redirect_debt = 0.0
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let nobody wait for a late answer any more."""
        self._stopping.set()

    async def handle(self, request: Request) -> Response:
        """Answer a request and note it."""
        call, at_ns = Call.of(request), time.time_ns()
        try:
            response = await self._respond(call, request)
        except Refusal as refusal:
            response = refused(refusal)
        status = _CUT if isinstance(response, Cut) else response.status_code
        self.journal.note(call.name, self._entry(call, at_ns, status))
        return response

    async def _respond(self, call: Call, request: Request) -> Response:
        place = (call.service, call.endpoint)
        late = self.faults.take({FaultKind.LATENCY}, *place)
        if late:
            await self._delay(late.seconds or 0.0)
        fault = self.faults.take(EDGE, *place)
        if fault and fault.fault is not FaultKind.DROP:
            raise _edge_refusal(fault)
        target = self._redirect(call, request)
        response = (
            Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": target})
            if target
            else await self._good_call(call, request)
        )
        return Cut(response.body) if fault else response

    async def _delay(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable: stopping")

    async def _good_call(self, call: Call, request: Request) -> Response:
        check_form(call, self._environment)
        if not call.key or not await self.keys.knows(call.key):
            raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden: no such application key")
        check_request_id(call)
        self.limits.count()
        if call.is_token:
            return await self._token(await request.body())
        fault = self.faults.take(INNER, call.service, call.endpoint)
        if fault and fault.fault is FaultKind.EXPIRED_TOKEN:
            self.keys.revoke(call.token)
        if not self.keys.accepts(call.token, call.key):
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized: the token is missing or expired")
        return self._data(call, fault)

    def _data(self, call: Call, fault: Fault | None) -> Response:
        if fault is None:
            return Json(self._answers.answer(call))
        empty = fault.fault is FaultKind.EMPTY_PAGE
        response = Json(self._answers.answer(call, empty=empty, last=fault.last))
        is_broken = fault.fault is FaultKind.MALFORMED
        return malformed(response, fault.body) if is_broken else response

    async def _token(self, body: bytes) -> Response:
        form = parse_qs(body.decode(errors="replace"))
        if form.get("grant_type") != [_GRANT]:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"grant_type is not {_GRANT}")
        token = await self.keys.grant(form.get("app_key", [""])[0])
        if token is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized: app_key is not good")
        return Json(
            {
                "access_token": token,
                "token_type": "bearer",
                "seconds_until_expiry": int(self._options.token_seconds),
                "status": "Ok",
            }
        )

    def _redirect(self, call: Call, request: Request) -> str | None:
        """Where a call is sent first: without the slash at its end, or for a share of the calls to
        the full URL of the very same place, marked so that it is not sent on again."""
        if call.method != "GET":
            return None
        if call.path.endswith("/") and call.endpoint:
            query = request.url.query
            return call.path.rstrip("/") + (f"?{query}" if query else "")
        if _ROUTED in call.query:
            return None
        self._redirect_debt += self._options.redirect_share
        if self._redirect_debt < 1.0:
            return None
        self._redirect_debt -= 1.0
        return str(request.url.include_query_params(**{_ROUTED: "1"}))

    def _entry(self, call: Call, at_ns: int, status: int) -> Entry:
        query = {
            name: HIDDEN if self.keys.holds(value) else value for name, value in call.query.items()
        }
        path = HIDDEN if self.keys.holds(call.path) else call.path
        return Entry(at_ns, call.method, path, query, sorted(call.headers), status)


def _edge_refusal(fault: Fault) -> Refusal:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if fault.fault is FaultKind.THROTTLE:
        return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests", headers)
    if fault.fault is FaultKind.MAINTENANCE:
        message = "Service Unavailable: scheduled maintenance"
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, headers)
    return Refusal(fault.status, HTTPStatus.INTERNAL_SERVER_ERROR.phrase, headers)


def build_app(api: TtApi, control: list[Route]) -> Starlette:
    """The application: the control endpoints, and everything else is the API."""
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]
    everything = Route("/{path:path}", api.handle, methods=methods)
    app = Starlette(routes=[*control, everything])
    app.router.redirect_slashes = False
    return app
