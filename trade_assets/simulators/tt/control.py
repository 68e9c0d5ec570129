"""Control of a simulator from outside, under `/simulator/`: faults, fills at will, what was asked.

No credential is asked for: the simulator listens on this machine only.
"""

from http import HTTPStatus

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trade_assets.simulators.tt.app import TtApi
from trade_assets.simulators.tt.faults import Fault
from trade_assets.simulators.tt.http_responses import Json

LAST: int = 200
"""Requests shown unless told otherwise."""


class Burst(BaseModel):
    """Fills that shall happen now: so many, so many of them in each nanosecond."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(gt=0, le=100_000)
    same_ns: int = Field(1, gt=0, le=100_000)


def control_routes(api: TtApi) -> list[Route]:
    """The control endpoints of a simulator."""

    async def show_faults(_: Request) -> Response:
        return Json({"faults": api.faults.listed()})

    async def add_fault(request: Request) -> Response:
        try:
            fault = Fault.model_validate(orjson.loads(await request.body()))
        except (ValidationError, orjson.JSONDecodeError) as error:
            return _wrong(error)
        return Json({"number": api.faults.add(fault)}, HTTPStatus.CREATED)

    async def clear_faults(_: Request) -> Response:
        api.faults.clear()
        return Json({"faults": []})

    async def show_requests(request: Request) -> Response:
        last = request.query_params.get("last", "")
        summary = api.journal.summary(int(last) if last.isdecimal() else LAST)
        return Json(
            {**summary, "tokens_issued": api.keys.issued, "counted_today": api.limits.today}
        )

    async def add_fills(request: Request) -> Response:
        try:
            burst = Burst.model_validate(orjson.loads(await request.body()))
        except (ValidationError, orjson.JSONDecodeError) as error:
            return _wrong(error)
        first = api.market.burst(burst.count, burst.same_ns)
        return Json({"first_ns": first}, HTTPStatus.CREATED)

    return [
        Route("/simulator/faults", show_faults, methods=["GET"]),
        Route("/simulator/faults", add_fault, methods=["POST"]),
        Route("/simulator/faults", clear_faults, methods=["DELETE"]),
        Route("/simulator/requests", show_requests, methods=["GET"]),
        Route("/simulator/fills", add_fills, methods=["POST"]),
    ]


def _wrong(error: ValueError) -> Response:
    return Json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
