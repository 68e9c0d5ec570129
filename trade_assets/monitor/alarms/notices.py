"""Notices: what a person is told when an alarm begins and when it ends, in each channel's format.

Sending is in `channels`, when to send in `evaluator`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

SUBJECT_LENGTH: Final = 99
"""SNS takes less than 100 characters."""

SLACK_HEADER_LENGTH: Final = 150
SLACK_TEXT_LENGTH: Final = 3000
DETAIL_LENGTH: Final = 2000
"""What is longer is cut: a notice is read on a telephone, and SMS and Slack have bounds."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An alarm began, or (with `ended_at`) ended. Times are in UTC.

    `name` is the alarm's, for programs; `title` and `detail` are for people.
    """

    name: str
    title: str
    detail: str
    began_at: datetime
    ended_at: datetime | None = None

    @property
    def episode(self) -> str:
        """The same for both notices of one episode, and for no other episode."""
        return f"{self.name}@{self.began_at.isoformat()}"

    @property
    def lasted(self) -> timedelta | None:
        """How long the episode was; None while it lasts. Never negative."""
        if self.ended_at is None:
            return None
        return max(self.ended_at - self.began_at, timedelta())

    @property
    def headline(self) -> str:
        """One line: what began or is over."""
        title = _one_line(self.title)
        return title if self.ended_at is None else f"Over: {title}"

    @property
    def subject(self) -> str:
        """The headline as SNS takes a subject: printable ASCII on one line, below 100 characters.

        SNS also wants it to begin with a letter, a digit or punctuation, so it never is empty.
        """
        printable = "".join(sign if " " <= sign <= "~" else "?" for sign in self.headline)
        return _cut(printable.strip(), SUBJECT_LENGTH, "...") or "Alarm"

    @property
    def text(self) -> str:
        """Plain text of several lines."""
        return "\n\n".join(part for part in (self.headline, self._detail, self._when) if part)

    def as_json(self) -> dict[str, str | float | None]:
        """For programs: names, ISO times and seconds."""
        lasted = self.lasted
        return {
            "alarm": self.name,
            "episode": self.episode,
            "state": "began" if self.ended_at is None else "ended",
            "title": self.title,
            "detail": self._detail,
            "began_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "lasted_seconds": None if lasted is None else lasted.total_seconds(),
        }

    def as_slack(self) -> Mapping[str, Any]:
        """Body of a Slack incoming webhook: blocks, and the text for notifications."""
        sign = ":rotating_light:" if self.ended_at is None else ":white_check_mark:"
        headline = f"{sign} {slack_escape(self.headline, SLACK_HEADER_LENGTH - len(sign) - 1)}"
        body = [
            slack_escape(part, SLACK_TEXT_LENGTH) for part in (self._detail, self._when) if part
        ]
        return {
            "text": headline,
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": headline, "emoji": True}},
                *({"type": "section", "text": {"type": "mrkdwn", "text": part}} for part in body),
                {
                    "type": "context",
                    "elements": [
                        {"type": "mrkdwn", "text": slack_escape(self.name, SLACK_TEXT_LENGTH)}
                    ],
                },
            ],
        }

    @property
    def _detail(self) -> str:
        return _cut(self.detail.strip(), DETAIL_LENGTH, "…")

    @property
    def _when(self) -> str:
        began = _time_words(self.began_at)
        if self.ended_at is None or self.lasted is None:
            return f"Since {began}."
        ended = _time_words(self.ended_at)
        return f"It lasted {duration_words(self.lasted)}, from {began} to {ended}."


def duration_words(duration: timedelta) -> str:
    """A duration in its two greatest units: `2 h 5 min`, `45 s`."""
    seconds = int(duration.total_seconds())
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for unit, length in units:
        count, seconds = divmod(seconds, length)
        parts.append((count, unit))
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


def slack_escape(text: str, length: int) -> str:
    """`text` as Slack shows it literally: its three control characters escaped, within `length`.

    See "Escaping text" in Slack's documentation of message formatting. Cut between characters, so
    no entity is ever cut in two.
    """
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    parts = [entities.get(sign, sign) for sign in text]
    if sum(map(len, parts)) <= length:
        return "".join(parts)
    kept, used = [], 1
    for part in parts:
        used += len(part)
        if used > length:
            break
        kept.append(part)
    return "".join(kept) + "…"


def _time_words(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, length: int, mark: str) -> str:
    return text if len(text) <= length else text[: length - len(mark)] + mark
