"""`trade-assets replay`: plays a folder of files again, on the command line."""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """\
Play a folder of feed files by the times in their names.

Uploads the files of DIR (not below it) in the order of the times in their names \
(YYYYMMDD_HHMMSS, YYYYMMDD_HHMM, or YYYYMMDD for the start of that day), with the gaps between \
them divided by --speed. They are sent under the keys of now, as if they had just been written. \
Nothing is remembered: playing a folder again sends it again.

A long gap (a night, a weekend) is divided like any other, then cut to --max-gap seconds. Files \
without a time in their name come first. Files that no feed claims are reported.

\b
Examples:
  trade-assets replay ./2025-07-17               at the original cadence
  trade-assets replay ./2025-07-17 --speed 60    an hour in a minute
  trade-assets replay ./2025-07-17 --speed 0     as fast as it goes
  trade-assets replay ./2025-07-17 --limit 20 --json

Exit code: 0 if all was sent or it was stopped, 1 if a file could not be sent.
"""


def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the feed files.")],
    speed: Annotated[
        float,
        typer.Option(min=0, help="1: original cadence; 60: sixty times faster; 0: no waiting."),
    ] = 1.0,
    max_gap: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="No wait is longer than this.")
    ] = 60.0,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="FILES", help="Play at most so many files.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Uploads at a time.")] = 8,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per upload, and a summary at the end.")
    ] = False,
) -> None:
    """Run the replay."""
    from trade_assets import logs
    from trade_assets.agent.display import listener_for, log_settings, show_end
    from trade_assets.agent.interruption import exit_now, stop_on_signals
    from trade_assets.agent.replay import Replay
    from trade_assets.settings import load_settings

    settings = load_settings()
    with stop_on_signals() as stop, listener_for("replay", as_json=as_json) as listener:
        logs.configure(log_settings(settings, listener))
        play = Replay(
            settings,
            folder,
            speed=speed,
            max_gap=max_gap,
            limit=limit,
            workers=workers,
            listener=listener,
        )
        report = play.run(stop)
    show_end(listener, report)
    code = 1 if report.refused else 0
    if not report.idle:
        exit_now(code)
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay", help=_HELP)(replay)
