"""Reading the payload of answers: TT's words, errors inside a 200, and what is no document."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from trade_assets.errors import (
    CredentialsError,
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
    ThrottledError,
    TradeAssetsError,
)
from trade_assets.remote.http import Response
from trade_assets.remote.responses import MESSAGE_LENGTH, ResponseJudge
from trade_assets.tt.client.payloads import Payload, read_payload

SECRET = "s3cr+t/of=us"
JUDGE = ResponseJudge("TT ttledger/orders", (SecretStr(SECRET),))


def _nothing(_: Payload) -> str | None:
    return None


def _response(status: int, body: object, **headers: str) -> Response:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(status, headers, data)


def _refusal(response: Response) -> TradeAssetsError:
    with pytest.raises(TradeAssetsError) as caught:
        read_payload(JUDGE, response, _nothing)
    return caught.value


@given(st.integers(100, 999), st.binary(max_size=40) | st.dictionaries(
    st.sampled_from(["status", "statusCode", "status_message", "status_desc", "message", "x"]),
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats() | st.text(max_size=9)
    | st.just("Error") | st.lists(st.none(), max_size=2)).map(lambda d: orjson.dumps(d)),
)  # fmt: skip
def test_any_answer_is_a_document_or_an_error_of_ours(status: int, data: bytes) -> None:
    try:
        payload = read_payload(JUDGE, Response(status, {}, data), _nothing)
    except (RemoteRejectedError, RemoteUnavailableError):
        return
    assert isinstance(payload, dict)
    assert 100 <= status < 300


@pytest.mark.parametrize("name", ["status_message", "status_desc", "message"])
def test_the_message_is_the_servers(name: str) -> None:
    assert (
        str(_refusal(_response(403, {name: "no rights"}))) == "TT ttledger/orders: 403: no rights"
    )


def test_an_error_page_for_people_gives_no_message() -> None:
    assert str(_refusal(_response(502, b"<html>Bad gateway"))) == "TT ttledger/orders: 502"


@pytest.mark.parametrize("form", [SECRET, "s3cr%2Bt/of%3Dus", "s3cr%2Bt%2Fof%3Dus"])
def test_a_secret_in_a_message_is_not_repeated_not_even_cut(form: str) -> None:
    padding = "x" * (MESSAGE_LENGTH - 4)
    for text in (f"bad key {form}!", f"{padding}{form}"):
        message = str(_refusal(_response(400, {"status_message": text})))
        assert "s3cr" not in message


def test_bytes_with_a_secret_in_them_are_not_kept() -> None:
    error = _refusal(_response(200, f"<html>{SECRET}".encode()))
    assert isinstance(error, MalformedAnswerError)
    assert error.data == b""


@pytest.mark.parametrize(
    ("code", "expected"),
    [(401, CredentialsError), (429, ThrottledError), ("503", RemoteUnavailableError),
     (403, RemoteRejectedError), (None, RemoteRejectedError), (200, RemoteRejectedError)],
)  # fmt: skip
def test_an_error_inside_a_200_is_what_its_code_says(
    code: object, expected: type[Exception]
) -> None:
    error = _refusal(_response(200, {"status": "Error", "statusCode": code}))
    assert type(error) is expected


def test_what_a_document_lacks_is_said_with_its_bytes() -> None:
    with pytest.raises(MalformedAnswerError, match=r"^TT ttledger/orders: no orders$") as caught:
        read_payload(JUDGE, _response(200, {"x": 1}), lambda _: "no orders")
    assert caught.value.data == b'{"x":1}'
