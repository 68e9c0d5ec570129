"""A file as a statement: what its newest version does not say is not so any more. Pure.

Of some data sets a file is the whole truth about its scope: all trades of a ledger, all lots of an
account set on a date, all settlement prices of a date. Which, and what the scope is, stands with
the data set (`Dataset.statement`); how versions follow on each other is `timelines`'.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, TRADING_DATE

Said = Mapping[str, tuple[int, ...]]
"""What is said of a scope: by record key its event times, microseconds of the epoch, sorted."""

StatedAt = Mapping[str, datetime]
"""LastModified of files by their keys: when each said what it says."""

NOTHING_STATED: Final[StatedAt] = {}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What a file is the whole truth about: something (`name`) of a day (ISO)."""

    day: str
    name: str


@dataclass(frozen=True, slots=True)
class StatementRule:
    """How files of a data set state.

    Attributes:
        scope: file name and trading date of a row to the scope; the date is None where the file has
            no row, and the answer None where the scope cannot be told then.
        edition: file name to a text that is greater in a later edition of the same scope.
        succeeds: a day's statement takes the place of the earlier days' in `latest`: what is held
            today is all that is held. Where it does not, days stand beside each other.
    """

    scope: Callable[[str, date | None], Scope | None]
    edition: Callable[[str], str] = lambda _: ""
    succeeds: bool = False

    def held(self, scope: Scope) -> Scope:
        """The scope as `latest` has it: of whatever day where days succeed each other."""
        return Scope("", scope.name) if self.succeeds else scope


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of a statement. Versions of a scope compare as they follow on each other: by
    edition, then by landing hour, then by LastModified.

    Attributes:
        stated_at: microseconds of the epoch, of LastModified.
    """

    edition: str
    hour: str
    stated_at: int
    file_key: str

    @property
    def file_name(self) -> str:
        """Last part of the file's key."""
        return name_of(self.file_key)

    @property
    def order(self) -> str:
        """A text that compares as versions do, and is the same for two versions of one second."""
        return f"{self.edition}#{self.hour}#{self.stated_at:020d}"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a version says of a scope. `records` are the rows that say so."""

    scope: Scope
    version: Version
    said: Said
    records: pl.DataFrame


def statements_of(
    rule: StatementRule, records: pl.DataFrame, stated: StatedAt
) -> Iterator[Statement]:
    """The statements of files, earlier versions first.

    Args:
        records: all rows of the files.
        stated: the files; one without rows states that there is nothing, where its name tells of
            what.
    """
    versions = sorted(_version(rule, key, stated_at) for key, stated_at in stated.items())
    parts = {
        str(part[FILE_KEY][0]): part
        for part in records.partition_by(FILE_KEY, maintain_order=True)
        if not part.is_empty()
    }
    for version in versions:
        part = parts.get(version.file_key, records.clear())
        for scope, rows in _by_scope(rule, version.file_name, part):
            yield Statement(scope, version, said_by(rows), rows)


def newest_statements(statements: Iterator[Statement]) -> list[Statement]:
    """Of every scope the last of statements that come in order."""
    return list({statement.scope: statement for statement in statements}.values())


def said_by(rows: pl.DataFrame) -> Said:
    """What rows say."""
    said: dict[str, tuple[int, ...]] = {}
    times = rows[EVENT_TIME].dt.epoch("us")
    for key, time in zip(rows[RECORD_KEY], times, strict=True):
        earlier = said.get(key)
        said[key] = (time,) if earlier is None else tuple(sorted({*earlier, time}))
    return said


def scope_of_record(rule: StatementRule, file_key: str, trading_date: str | None) -> Scope | None:
    """The scope that a stored record belongs to; the date is ISO text."""
    day = None if trading_date is None else date.fromisoformat(trading_date)
    return rule.scope(name_of(file_key), day)


def micros(moment: datetime) -> int:
    """Microseconds of the epoch of an aware time."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(micros_of_epoch: int) -> datetime:
    """The time of `micros`, UTC."""
    return _EPOCH + timedelta(microseconds=micros_of_epoch)


def name_of(file_key: str) -> str:
    """The file name in a key."""
    return file_key.rpartition("/")[2]


def _version(rule: StatementRule, file_key: str, stated_at: datetime) -> Version:
    folder, _, name = file_key.rpartition("/")
    # `dt=…/hh=…`, which sorts as time does; what is before it is the same for all of a data set.
    hour = "/".join(folder.split("/")[-2:])
    return Version(rule.edition(name), hour, micros(stated_at), file_key)


def _by_scope(
    rule: StatementRule, file_name: str, rows: pl.DataFrame
) -> list[tuple[Scope, pl.DataFrame]]:
    if rows.is_empty():
        scope = rule.scope(file_name, None)
        return [] if scope is None else [(scope, rows)]
    days: dict[Scope, list[date | None]] = {}
    for day in rows[TRADING_DATE].unique(maintain_order=True):
        scope = rule.scope(file_name, day)
        if scope is not None:
            days.setdefault(scope, []).append(day)
    if len(days) == 1:
        return [(scope, rows) for scope in days]
    return [
        (scope, rows.filter(pl.col(TRADING_DATE).is_in(those))) for scope, those in days.items()
    ]
