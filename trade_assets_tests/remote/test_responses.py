"""Judging responses: status, words, Retry-After, and that no credential gets into a message."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

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
from trade_assets.remote.responses import (
    MESSAGE_LENGTH,
    ResponseJudge,
    json_of,
    retry_after,
    words_of,
)

SECRET = "s3cr+t/of=us"
JUDGE = ResponseJudge("rates yields", (SecretStr(SECRET),))


def _error(status: int, words: str = "", **headers: str) -> TradeAssetsError:
    """What a response of this status is."""
    with pytest.raises(TradeAssetsError) as caught:
        JUDGE.body(Response(status, headers, b""), words)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_good_body_is_given_as_it_came(status: int) -> None:
    assert JUDGE.body(Response(status, {}, b"<html>")) == b"<html>"


@pytest.mark.parametrize(
    ("status", "expected"),
    [(300, MalformedAnswerError), (304, MalformedAnswerError), (400, RemoteRejectedError),
     (401, CredentialsError), (403, RemoteRejectedError), (404, RemoteRejectedError),
     (408, RemoteUnavailableError), (429, ThrottledError), (500, RemoteUnavailableError),
     (503, RemoteUnavailableError), (599, RemoteUnavailableError)],
)  # fmt: skip
def test_a_status_says_whether_another_try_helps(status: int, expected: type[Exception]) -> None:
    assert type(_error(status)) is expected


@given(st.integers(100, 999), st.text(max_size=40), st.binary(max_size=40))
def test_any_response_is_a_body_or_an_error_of_ours(status: int, words: str, data: bytes) -> None:
    try:
        assert JUDGE.body(Response(status, {}, data), words) == data
    except (RemoteRejectedError, RemoteUnavailableError):
        assert status >= 300
    else:
        assert status < 300


def test_the_message_names_the_question_the_status_and_the_servers_words() -> None:
    error = _error(403, "no \n rights\x00")
    assert str(error) == "rates yields: 403: no rights"
    assert isinstance(error, RemoteRejectedError)
    assert error.status == 403


def test_without_words_the_message_ends_with_the_status() -> None:
    assert str(_error(502)) == "rates yields: 502"


def test_long_words_are_cut() -> None:
    assert str(_error(400, "x" * 1000)).count("x") == MESSAGE_LENGTH - 1


@pytest.mark.parametrize("form", [SECRET, "s3cr%2Bt/of%3Dus", "s3cr%2Bt%2Fof%3Dus"])
def test_a_secret_in_words_is_not_repeated_not_even_cut(form: str) -> None:
    padding = "x" * (MESSAGE_LENGTH - 4)
    for words in (f"bad key {form}!", f"{padding}{form}"):
        assert "s3cr" not in str(_error(400, words))
        assert "s3cr" not in str(JUDGE.rejected(words))


def test_bytes_are_kept_unless_they_hold_a_secret_or_are_one() -> None:
    assert JUDGE.malformed("odd", b"{}").data == b"{}"
    assert JUDGE.malformed("odd", f"<html>{SECRET}".encode()).data == b""
    token_judge = ResponseJudge("rates token", (SecretStr(SECRET),), keep_data=False)
    assert token_judge.malformed("odd", b"{}").data == b""


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_reaches_the_error(status: int) -> None:
    error = _error(status, "", **{"Retry-After": "7"})
    assert isinstance(error, ThrottledError)
    assert error.retry_after == 7


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "nan", "inf"])
def test_what_says_no_time_is_none(value: str | None) -> None:
    assert retry_after(value) is None


def test_a_date_is_the_seconds_until_then() -> None:
    seconds = retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert seconds is not None
    assert 3000 < seconds <= 3600
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 -0000") == 0


def test_words_are_the_texts_of_the_named_members_each_once() -> None:
    document = {"error": "bad", "message": "why", "reason": "bad", "code": 7}
    assert words_of(document, ("error", "message", "reason", "code", "none")) == "bad; why"
    assert words_of(["bad"], ("error",)) == ""
    assert words_of(None, ("error",)) == ""


def test_what_is_no_json_is_no_document() -> None:
    assert json_of(b'{"a": 1}') == {"a": 1}
    assert json_of(b"<html>") is None
