"""Values of TT's JSON, whose types are loose, to ours: one function a kind of value.

Each takes what `orjson` made of the JSON, returns None where it is missing (null, or a text without
anything but blanks), and raises `PydanticCustomError` with a reason that follows the value in a
sentence. Which field has which kind of value is `row_models`' business.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, TypeVar

import orjson
from pydantic_core import PydanticCustomError

from trade_assets.market.numbers import LARGEST, SMALLEST, read_number

FIRST_NS: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
LAST_NS: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
"""Times are from `FIRST_NS` to before `LAST_NS`, nanoseconds since the epoch; a number beyond is in
another unit, or garbage."""

MISSING: Final = "is missing"

_T = TypeVar("_T")


def problem(reason: str) -> PydanticCustomError:
    return PydanticCustomError("tt", reason)  # its text is no template


def _is_missing(value: object) -> bool:
    return value is None or (type(value) is str and not value.strip())


def as_text(value: object) -> str | None:
    """An id, code or name: exactly the text, or the whole number's digits; None: it is missing.

    Raises:
        PydanticCustomError: it is anything else, also a bool or a number that has lost digits.
    """
    if _is_missing(value):
        return None
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise problem("is neither a text nor a whole number")


def as_id(value: object) -> str | None:
    """As `as_text`, of plain characters: it becomes a part of keys."""
    text = as_text(value)
    if text is not None and not text.isprintable():
        raise problem("has a control character")
    return text


def as_number(value: object) -> float | None:
    """A finite number that every store can hold; 0.0 for -0.0; None: it is missing."""
    if _is_missing(value):
        return None
    if type(value) is str:
        read = read_number(value)
        if type(read) is str:
            raise problem(read)
        value = read
    if type(value) is int:
        value = float(value)
    if type(value) is not float:
        raise problem("is not a number")
    if value and not SMALLEST <= abs(value) < LARGEST:  # neither infinite nor nan is
        raise problem("is out of range")
    return value + 0.0


def as_whole(value: object) -> int | None:
    """A whole number of 64 bits, also one in digits of text; None: it is missing."""
    if _is_missing(value):
        return None
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if type(value) is not int:
        raise problem("is not a whole number")
    if not -(2**63) <= value < 2**63:
        raise problem("is out of range")
    return value


def as_time_ns(value: object) -> int | None:
    """A time in nanoseconds since the epoch, `FIRST_NS` to `LAST_NS`; None: it is missing."""
    if type(value) is float:
        raise problem("has lost digits")
    nanoseconds = as_whole(value)
    if nanoseconds is not None and not FIRST_NS <= nanoseconds < LAST_NS:
        raise problem("is no time in nanoseconds of the years 2000 to 2099")
    return nanoseconds


def as_date(value: object) -> date | None:
    """The day of a YYYYMMDD or YYYYMMDDHHMMSS; None: it is missing, or 0."""
    digits = as_whole(value)
    if not digits:
        return None
    day = _day(digits)
    if day is None:
        raise problem("is not a date")
    return day


# A day's fills all have the same date, and strptime takes longer than all else of a fill.
@lru_cache(maxsize=1024)
def _day(digits: int) -> date | None:
    text = str(digits)
    form = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}.get(len(text), "")
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 (a day of the exchange)
    except ValueError:
        return None


def as_flag(value: object) -> bool | None:
    """true or false, also as texts; None: it is missing."""
    if _is_missing(value):
        return None
    if type(value) is str and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if type(value) is not bool:
        raise problem("is neither true nor false")
    return value


def as_json(value: object) -> str | None:
    """Anything, as JSON text; None: it is missing."""
    if _is_missing(value) or value in ([], {}):
        return None
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a number beyond 64 bits that another reader of JSON let through
        raise problem("cannot be kept as JSON") from None


def as_quantity(value: object) -> float | None:
    number = as_number(value)
    if number is not None and number <= 0:
        raise problem("is not above 0")
    return number


def word_of(words: Mapping[str, str]) -> Callable[[object], str | None]:
    def word(value: object) -> str | None:
        text = as_text(value)
        return text if text is None else words.get(text, text)

    return word


def required(read: Callable[[object], _T | None]) -> Callable[[object], _T]:
    def checked(value: object) -> _T:
        found = read(value)
        if found is None:
            raise problem(MISSING)
        return found

    return checked
