"""Parse: every feed's parser on a typical file, and the EOD file beside a plain loop over it.

Part of the figure `parse`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from benchmarks.feed_samples import FeedFile, feed_files
from benchmarks.figures import BenchmarkError, Figure, Goal, Row, Spread, Table
from benchmarks.parts import Bench
from benchmarks.timing import MILLI, Way, cpu_rounds
from trade_assets.datasets.records import EVENT_TIME
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.eod import EOD, FILE_PATTERN
from trade_assets.market.trading_days import stamp_to_utc

Parse = Callable[[FeedFile], Any]

EOD_MOST_MILLISECONDS: Final = 100.0

OURS: Final = "trade_assets"
LOOP: Final = "json.loads and a loop"


def with_platform(item: FeedFile) -> Any:
    """The platform's parser."""
    return item.feed.parse(item.data, item.name).frame


def with_json_loop(item: FeedFile) -> list[dict[str, Any]]:
    """An EOD file by `json.loads` and a loop into typed dicts: no check but those of `float`."""
    match = FILE_PATTERN.fullmatch(item.name)
    assert match is not None
    underlying, event_time = match["underlying"], stamp_to_utc(match["day"] + match["time"])
    records: list[dict[str, Any]] = []
    for total in json.loads(item.data)["totals"]:
        scope = total["header"]
        for point in total["points"]:
            shock = point["header"]
            kind = "relative" if shock.endswith("%") else "absolute"
            size = float(shock.removesuffix("%"))
            for metric, text in point["values"].items():
                records.append(
                    {
                        "record_key": f"{underlying}:{scope}:{metric}:{shock}",
                        EVENT_TIME: event_time,
                        "row": len(records) + 1,
                        "underlying": underlying,
                        "scope": scope,
                        "metric": metric,
                        "shock_kind": kind,
                        "shock": size,
                        "value": float(text),
                    }
                )
    return records


def add_feeds(figure: Figure, bench: Bench) -> None:
    """Add a table of all feeds, and one of the EOD file."""
    files = feed_files()
    if {item.feed.path for item in files} != set(FEEDS):
        raise BenchmarkError("there is no file of some feed")
    shown: list[Row] = []
    for item in files:
        ways = {OURS: with_platform}
        if item.feed is EOD:
            require_same(item)
            ways[LOOP] = with_json_loop
        spent = _milliseconds(ways, item, bench)
        shown.append(_row(item, spent[OURS]))
        figure.data[f"feeds/{item.label}"] = {
            "bytes": len(item.data),
            "rows": item.rows,
            "milliseconds": asdict(spent[OURS]),
        }
        if item.feed is EOD:
            _add_eod(figure, item, spent)
    columns = ("feed and file", "bytes", "ms per file", "10 to 90 %", "rows/s")
    figure.tables.insert(1, Table(columns, shown, "Every feed, a typical file"))
    figure.notes.append(
        "Feeds: generated files; what symbols stand for is remembered from the file before, as it "
        "is in a running stream. Rows are those of the accounting, rejected ones included."
    )


def _milliseconds(ways: Mapping[str, Parse], item: FeedFile, bench: Bench) -> dict[str, Spread]:
    timed = {name: Way.of(parse, item) for name, parse in ways.items()}
    return {
        name: Spread.of([MILLI * seconds for seconds in rounds])
        for name, rounds in cpu_rounds(timed, bench.scale).items()
    }


def _row(item: FeedFile, spent: Spread) -> Row:
    return (
        item.label,
        f"{len(item.data):,}",
        f"{spent.median:.2f}",
        f"{spent.low:.2f} to {spent.high:.2f}",
        f"{1000 * item.rows / spent.median:,.0f}",
    )


def _add_eod(figure: Figure, item: FeedFile, spent: Mapping[str, Spread]) -> None:
    ours = spent[OURS]
    figure.data[f"feeds/{LOOP}"] = {"milliseconds": asdict(spent[LOOP])}
    shown: list[Row] = [
        (name, f"{cost.median:.1f}", f"{cost.median / ours.median:.1f}x")
        for name, cost in spent.items()
    ]
    columns = ("parser", "ms per file", "trade_assets is faster by")
    figure.tables.append(Table(columns, shown, f"The EOD file of {len(item.data):,} bytes"))
    text = f"an EOD file of 1.6 MB in less than {EOD_MOST_MILLISECONDS:g} ms"
    measured = f"{ours.median:.1f} ms"
    figure.goals.append(Goal(text, measured, ours.median < EOD_MOST_MILLISECONDS))
    figure.notes.append(
        "json.loads and a loop: bytes → list of dicts with the same keys and values, checked "
        "before; no instruments, and no checks of digits, doubles or shapes."
    )


def require_same(item: FeedFile) -> None:
    """Check that the loop comes to the same records.

    Raises:
        BenchmarkError: it does not, and comparing them would mean nothing.
    """
    records = with_json_loop(item)
    if with_platform(item).select(list(records[0])).to_dicts() != records:
        raise BenchmarkError("the plain loop reads other values than the platform's parser")
