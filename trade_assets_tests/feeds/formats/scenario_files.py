"""Scenario files for the tests, made by hand: the same in every run, and small."""

import json
import random
from collections.abc import Mapping, Sequence

STEM = "GE_XCME.ZN_20250717_143331"
GRID_NAME, EOD_NAME = f"{STEM}.csv", f"{STEM}.json"

SCOPES = ("XCME.ZN", "w/o first", "21JUL25", "AUG25")
METRICS = ("ab_F", "ab_sCall", "Th PnL", "ab_Theta")
GRID_SHOCKS = tuple(f"{step * 0.25:g}" for step in range(-12, 13))
EOD_SHOCKS = ("-10%", "0%", "2.5%", "-0.25", "0", "0.25")


def number(rng: random.Random) -> str:
    """A number as Actant writes it."""
    return f"{rng.uniform(-1, 1) * 10 ** rng.randint(0, 12):.{rng.choice((2, 5))}f}"


def grid(seed: int, shocks: Sequence[str] = GRID_SHOCKS) -> bytes:
    """A PnL grid of every scope and metric."""
    rng = random.Random(seed)
    lines = [",".join(("Expiration", "Value", "UPrice", *shocks))]
    lines += [
        ",".join((scope, metric, "110.203", *(number(rng) for _ in shocks)))
        for scope in SCOPES
        for metric in METRICS
    ]
    return "\n".join([*lines, ""]).encode()


def eod(seed: int, indent: int | None = 4) -> bytes:
    """An EOD file of every scope and shock; some metrics are absent at some points."""
    rng = random.Random(seed)
    totals = [
        (scope, [(shock, _metrics(rng, absent=0.2)) for shock in EOD_SHOCKS]) for scope in SCOPES
    ]
    return eod_of(totals, indent)


def eod_of(
    totals: Sequence[tuple[str, Sequence[tuple[str, Mapping[str, object]]]]],
    indent: int | None = None,
) -> bytes:
    """An EOD file of headers, their shocks and values."""
    document = {
        "totals": [
            {
                "header": scope,
                "points": [{"header": shock, "values": values} for shock, values in points],
            }
            for scope, points in totals
        ]
    }
    return json.dumps(document, indent=indent).encode()


def eod_of_entries(*entries: str) -> bytes:
    """An EOD file of these totals as JSON writes them."""
    return f'{{"totals":[{",".join(entries)}]}}'.encode()


def entry_of_points(*points: str) -> str:
    """A total of these points as JSON writes them."""
    return f'{{"header":"AUG25","points":[{",".join(points)}]}}'


def eod_of_values(members: str) -> bytes:
    """An EOD file of one point; its values are the members as JSON writes them."""
    return eod_of_entries(entry_of_points(f'{{"header":"-0.25","values":{{{members}}}}}'))


def _metrics(rng: random.Random, absent: float) -> dict[str, str]:
    return {metric: number(rng) for metric in METRICS if rng.random() >= absent}
