"""HTTP responses of the simulator: good ones, those that say no, and the broken ones."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service</title></head><body>Please wait</body></html>\n"
)


class Refusal(Exception):  # noqa: N818  # an answer, no error of the simulator
    """An answer that is not 200.

    Attributes:
        status: of HTTP.
        message: for the caller, in the body.
        headers: besides the usual ones.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.status = int(status)
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """As TT words it."""
        return {"status": "Error", "statusCode": self.status, "status_message": self.message}


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
