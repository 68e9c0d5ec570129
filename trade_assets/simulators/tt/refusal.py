"""How the simulated API says no."""

from collections.abc import Mapping


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
