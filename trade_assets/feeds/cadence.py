"""A feed's cadence: the gaps in what came, by the open time between two files. Pure.

Which cadence a feed has is the feed's business, where event times are kept that of
`stores.redis.coverage`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from trade_assets.market.sessions import TRADING_DAY_SECONDS, open_seconds

DAILY_GAP_SECONDS: Final = 1.5 * TRADING_DAY_SECONDS
"""Of a feed of one file a trading day. Half a trading day late is late; the hour of a desk's daily
file moves by less."""

DAILY_FRESHNESS_SECONDS: Final = 4 * 24 * 3600.0
"""Of such a feed. Friday's file is still the newest on the Monday, and on the Tuesday after a
holiday."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of event time in which a feed should have had files and had none.

    Attributes:
        start: the last event time before it (UTC).
        end: the first event time after it; of an open gap, the time of looking.
        files_expected: how many files the cadence would have put between, at least 1.
        open: nothing has come after it yet.
    """

    start: datetime
    end: datetime
    files_expected: int
    open: bool = False


def find_gaps(
    intervals: Sequence[tuple[datetime, datetime]],
    cadence_seconds: float,
    gap_seconds: float,
    since: datetime | None = None,
    now: datetime | None = None,
) -> list[Gap]:
    """The gaps between covered stretches of event time, oldest first.

    Args:
        intervals: first and last event time of each stretch; sorted, disjoint (`Coverage`).
        cadence_seconds: open seconds from a file to the next.
        gap_seconds: a space of more open seconds than this is a gap.
        since: gaps that had ended by this time are left out; one that spans it is whole.
        now: the silence from the last stretch to this time may be a gap that is still open.
    """
    spaces = [(start, end, False) for (_, start), (end, _) in pairwise(intervals)]
    if now is not None and intervals:
        spaces.append((intervals[-1][1], now, True))
    gaps = []
    for start, end, still_open in spaces:
        if since is not None and end <= since:
            continue
        seconds = open_seconds(start, end)
        if seconds > gap_seconds:
            expected = _files_expected(seconds / cadence_seconds, still_open)
            gaps.append(Gap(start, end, expected, still_open))
    return gaps


def _files_expected(steps: float, still_open: bool) -> int:
    """Files strictly inside a gap of so many steps of the cadence."""
    # Two files bound a closed gap, and come a little early or late: the nearest whole number.
    # None ends an open one: all that were due before it count.
    return max(1, (math.ceil(steps) if still_open else round(steps)) - 1)
