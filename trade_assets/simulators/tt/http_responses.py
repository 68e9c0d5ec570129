"""HTTP responses of the simulator, the broken ones among them."""

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from trade_assets.simulators.tt.refusal import Refusal

PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service</title></head><body>Please wait</body></html>\n"
)


class Json(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The content as JSON."""
        return orjson.dumps(content)


class Cut(Response):
    """An answer whose connection is cut after half of its body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers that promise all of it, half of it, and end: the server hangs up then."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


def refused(refusal: Refusal) -> Json:
    """The answer that a refusal is."""
    return Json(refusal.body(), refusal.status, refusal.headers)


def malformed(response: Response, body: str) -> Response:
    """A good answer with half of its JSON, or `html`: a page for people in its place."""
    if body == "html":
        return Response(PAGE, media_type="text/html")
    half = bytes(response.body)[: len(response.body) // 2]
    return Response(half, media_type="application/json")
