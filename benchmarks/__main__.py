"""Measure the platform's figures on the local parts and print them, at the end as Markdown.

`python -m benchmarks [names…] [--quick] [--seconds N] [--json FILE]`; all of it takes roughly
three quarters of an hour.
"""

import argparse
import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console

from benchmarks import conditions, report
from benchmarks.figures import Figure
from benchmarks.parts import Bench
from benchmarks.scale import FULL, QUICK, Scale
from trade_assets import logs
from trade_assets.errors import TradeAssetsError
from trade_assets.local import dynalite
from trade_assets.local.ministack import FOLDER_NAME, ensure_environment
from trade_assets.settings import load_settings

NAMES: Final = (
    "parse",
    "prices",
    "greeks",
    "symbols",
    "client_cpu",
    "sensor",
    "backlog",
    "slots",
    "latency",
)
"""Modules of this package, in the order in which they run: functions, then stores, then all."""
BY_NAME: Final = ("day",)
"""What takes so long that it runs only when it is named."""
SHORTEST_SECONDS: Final = 4.0
WIDTH: Final = 120
"""Columns of the output where there is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code: 1 if a benchmark could not be carried out.

    A goal that is missed is a figure like another, not an error.
    """
    options = _options(arguments)
    scale = QUICK if options.quick else FULL
    if options.seconds is not None:
        scale = replace(scale, latency_seconds=options.seconds, slots_seconds=options.seconds)
    # `kill` shall stop all parts too, as Ctrl-C does, also where a shell has switched that off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # Where the Markdown goes into a file, the tables still go to the terminal.
    piped = not sys.stdout.isatty()
    console = Console(stderr=piped, width=WIDTH if piped else None)
    try:
        return _run(options, scale, console)
    except KeyboardInterrupt:
        console.print("interrupted; everything that was started is stopped")
        return 130
    except TradeAssetsError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"of {', '.join(NAMES)} (none: all of these) and {', '.join(BY_NAME)}",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument(
        "--seconds",
        type=float,
        help="length of the measurements of latency (default 300) and of TT slots (600)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - {*NAMES, *BY_NAME})
    if unknown:
        parser.error(
            f"no benchmark {', '.join(unknown)}; there are {', '.join((*NAMES, *BY_NAME))}"
        )
    if options.seconds is not None and options.seconds < SHORTEST_SECONDS:
        parser.error(f"--seconds must be at least {SHORTEST_SECONDS:g}")
    return options


def _run(options: argparse.Namespace, scale: Scale, console: Console) -> int:
    home = load_settings().home_path
    _forget_settings()
    names = [name for name in (*NAMES, *BY_NAME) if name in (options.names or NAMES)]
    found = conditions.conditions(scale)
    report.show_conditions(console, found)
    figures = []
    scratch = tempfile.TemporaryDirectory(prefix="trade-assets-bench-", ignore_cleanup_errors=True)
    with scratch as folder, console.status("preparing") as status:
        bench = Bench(
            scale,
            Path(folder),
            ensure_environment(home / FOLDER_NAME, status.update),
            dynalite.ensure_installed(home / dynalite.FOLDER_NAME, status.update),
            _speaker(console, status.update),
        )
        for name in names:
            figure = _measured(name, bench, console)
            if figure is not None:
                report.show(console, figure)
                figures.append(figure)
    sys.stdout.write(f"\n{report.markdown(found, figures)}")
    if options.json is not None:
        content = {"conditions": found, "figures": [asdict(figure) for figure in figures]}
        options.json.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return 0 if len(figures) == len(names) else 1


def _forget_settings() -> None:
    """Whoever runs the benchmarks may have settings; the figures are those of the defaults."""
    for name in list(os.environ):
        if name.startswith(("TRADE_ASSETS_", "AWS_", "DAGSTER_")) and name != "AWS_CA_BUNDLE":
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    logs.configure(load_settings(log_level="WARNING"))


def _speaker(console: Console, update: Callable[[str], None]) -> Callable[[str], None]:
    """Says what is being done: in the status line, or line by line where there is no terminal."""
    if console.is_terminal:
        return update
    return lambda text: console.print(f"{datetime.now(UTC):%H:%M:%S} {text}", highlight=False)


def _measured(name: str, bench: Bench, console: Console) -> Figure | None:
    """One figure, with its own load average and duration; None after an error, which is shown."""
    load = conditions.load_average()
    begin = time.monotonic()
    try:
        module = importlib.import_module(f"benchmarks.{name}")
        figure: Figure = module.measure(bench)
    except ModuleNotFoundError as error:
        console.print(
            f"{name}: {error.name} is not installed; `make bench` installs it", style="red"
        )
        return None
    except Exception:
        # The other figures took minutes, and are not to be lost for this one.
        console.print(f"{name}: failed", style="red")
        console.print(traceback.format_exc(), markup=False, highlight=False)
        return None
    spent = time.monotonic() - begin
    figure.notes.append(f"Took {spent:.0f} s in all; load average before: {load}.")
    return figure


if __name__ == "__main__":
    sys.exit(main())
