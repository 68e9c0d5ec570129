"""Notices in each channel's format, whatever the text."""

import json
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.monitor.alarms.notices import (
    SLACK_HEADER_LENGTH,
    SLACK_TEXT_LENGTH,
    Notice,
    duration_words,
    slack_escape,
)

BEGAN = datetime(2025, 11, 21, 10, 0, tzinfo=UTC)
OPENING = Notice("tt:x:breaker", "tt:x: the breaker is open", "It failed 5 times.", BEGAN)
CLOSING = Notice(
    "tt:x:breaker",
    "tt:x: the breaker is open",
    "It answers again.",
    BEGAN,
    BEGAN + timedelta(hours=2, minutes=5, seconds=9),
)
NOTICES = st.builds(
    Notice,
    name=st.text(),
    title=st.text(max_size=400),
    detail=st.text(max_size=4000),
    began_at=st.just(BEGAN),
    ended_at=st.none() | st.timedeltas(timedelta(), timedelta(days=9)).map(lambda d: BEGAN + d),
)


def test_an_opening_says_what_began_and_since_when() -> None:
    assert OPENING.subject == "tt:x: the breaker is open"
    assert OPENING.text == (
        "tt:x: the breaker is open\n\nIt failed 5 times.\n\nSince 2025-11-21 10:00:00 UTC."
    )


def test_a_closing_says_how_long_it_lasted() -> None:
    assert CLOSING.subject == "Over: tt:x: the breaker is open"
    assert CLOSING.text == (
        "Over: tt:x: the breaker is open\n\nIt answers again.\n\n"
        "It lasted 2 h 5 min, from 2025-11-21 10:00:00 UTC to 2025-11-21 12:05:09 UTC."
    )


def test_both_notices_of_an_episode_name_it_alike_for_programs() -> None:
    began, ended = OPENING.as_json(), CLOSING.as_json()
    assert began["episode"] == ended["episode"] == "tt:x:breaker@2025-11-21T10:00:00+00:00"
    assert (began["state"], ended["state"]) == ("began", "ended")
    assert (began["lasted_seconds"], ended["lasted_seconds"]) == (None, 7509.0)
    assert (began["ended_at"], ended["ended_at"]) == (None, "2025-11-21T12:05:09+00:00")


def test_an_end_before_the_beginning_lasted_no_time() -> None:
    notice = Notice("n", "t", "d", BEGAN, BEGAN - timedelta(seconds=1))
    assert notice.lasted == timedelta()


@given(NOTICES)
def test_the_subject_is_what_sns_takes(notice: Notice) -> None:
    subject = notice.subject
    assert 0 < len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
    assert subject[0] in string.ascii_letters + string.digits + string.punctuation


@given(NOTICES)
def test_slack_gets_blocks_within_its_bounds_and_nothing_that_it_would_interpret(
    notice: Notice,
) -> None:
    payload = json.loads(json.dumps(notice.as_slack()))
    header, *sections, context = payload["blocks"]
    texts = [header["text"]["text"], *(item["text"]["text"] for item in sections)]
    assert 0 < len(texts[0]) <= SLACK_HEADER_LENGTH
    assert all(0 < len(text) <= SLACK_TEXT_LENGTH for text in texts)
    assert "\n" not in texts[0]
    for text in [*texts, context["elements"][0]["text"]]:
        assert "<" not in text
        assert ">" not in text


def test_slack_shows_a_text_literally() -> None:
    assert slack_escape("<!channel> & <a|b>", 100) == "&lt;!channel&gt; &amp; &lt;a|b&gt;"


@pytest.mark.parametrize("length", range(1, 12))
def test_no_entity_is_cut_in_two(length: int) -> None:
    cut = slack_escape("a&&&&&&", length)
    assert len(cut) <= length
    assert cut.endswith("…")
    assert cut.removesuffix("…").replace("&amp;", "") in {"", "a"}


def test_the_slack_payload_of_a_closing() -> None:
    payload = CLOSING.as_slack()
    assert payload["text"] == ":white_check_mark: Over: tt:x: the breaker is open"
    assert [block["type"] for block in payload["blocks"]] == [
        "header", "section", "section", "context",
    ]  # fmt: skip
    assert payload["blocks"][2]["text"]["text"].startswith("It lasted 2 h 5 min, from ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (61, "1 min 1 s"),
        (3600, "1 h"), (3601, "1 h"), (7509, "2 h 5 min"), (86_400 * 3 + 7200, "3 d 2 h"),
    ],
)  # fmt: skip
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration_words(timedelta(seconds=seconds)) == words
