"""The payload of an answer of TT: its JSON document, or the error that TT says it is.

Only what is TT's own stands here: where its words are, and that an error may come inside a 200.
What a status means, and that no message holds a credential, is in `remote.responses`.
"""

from collections.abc import Callable
from typing import Any, Final

from trade_assets.remote.http import Response
from trade_assets.remote.responses import FIRST_ERROR, ResponseJudge, json_of, words_of

_MESSAGES: Final = ("status_message", "status_desc", "message")  # The last is its gateway's own.
_LAST_ERROR: Final = 599

Payload = dict[str, Any]


def read_payload(
    judge: ResponseJudge, response: Response, fault: Callable[[Payload], str | None]
) -> Payload:
    """The document of an answer; `fault` says what it lacks, None: nothing.

    Raises:
        CredentialsError: 401.
        RemoteRejectedError: another 4xx, or an error in a 200 that has no better status.
        ThrottledError: 429, and a 503 with a Retry-After.
        RemoteUnavailableError: another 5xx, and 408.
        MalformedAnswerError: no JSON object, or one that `fault` finds fault with.
    """
    document = json_of(response.data)
    status = _error_status(response.status, document)
    if status is not None:
        raise judge.status_error(status, response.headers, words_of(document, _MESSAGES))
    data = judge.body(response)
    if not isinstance(document, dict):
        raise judge.malformed("the answer is not a JSON object", data)
    found = fault(document)
    if found is not None:
        raise judge.malformed(found, data)
    return document


def _error_status(status: int, document: Any) -> int | None:
    """The HTTP status of an error; of an error inside a 200 its `statusCode`; None: no error."""
    if status >= FIRST_ERROR:
        return status
    said = document if isinstance(document, dict) else {}
    code = _code(said.get("statusCode"))
    if code is not None:
        return code
    return status if str(said.get("status", "")).strip().lower() == "error" else None


def _code(value: Any) -> int | None:
    try:
        code = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return code if FIRST_ERROR <= code <= _LAST_ERROR else None
