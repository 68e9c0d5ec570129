"""`trade-assets push`: the agent of the feed server, on the command line."""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """\
Push the finished files of a folder to S3, and keep doing so.

Watches DIR (not below it) and uploads each file as soon as its writer is done with it, under \
feeds/<source>/<feed>/dt=…/hh=…/<file name>, day and hour in UTC. Dotfiles, *.tmp, *.part and *~ \
are left alone. A file that no feed claims is reported once and never sent.

A version of a file is sent once, whatever happens: the agent remembers what it sent (under \
TRADE_ASSETS_HOME), goes on after a restart where it ended, and retries for as long as the \
network is away. Only one agent works on a folder. Ctrl-C or SIGTERM stops it; nothing is lost.

\b
Examples:
  trade-assets push /data/feeds              watch until stopped
  trade-assets push /data/feeds --once       push what is there, then end
  trade-assets push /data/feeds --json       one JSON object per upload
  trade-assets push /slow/disk --settle 1 --rescan 30

Exit code: 0 when stopped; with --once, 1 if a finished file was not pushed.
"""


def push(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the feed files.")],
    once: Annotated[bool, typer.Option("--once", help="Push what is there, then end.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Uploads at a time.")] = 8,
    settle: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="A closed file must be quiet this long.")
    ] = 0.1,
    rescan: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="Look this often for what no event told."),
    ] = 5.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per upload, and a summary at the end.")
    ] = False,
) -> None:
    """Run the agent."""
    from trade_assets import logs
    from trade_assets.agent.display import listener_for, log_settings, show_end
    from trade_assets.agent.interruption import exit_now, stop_on_signals
    from trade_assets.agent.loop import Pace
    from trade_assets.agent.push_agent import PushAgent
    from trade_assets.settings import load_settings

    settings = load_settings()
    with stop_on_signals() as stop, listener_for("push", as_json=as_json) as listener:
        logs.configure(log_settings(settings, listener))
        agent = PushAgent(
            settings,
            folder,
            workers=workers,
            pace=Pace(settle=settle, rescan=rescan),
            once=once,
            listener=listener,
        )
        report = agent.run(stop)
    show_end(listener, report)
    code = 1 if once and not report.complete else 0
    if not report.idle:
        exit_now(code)
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("push", help=_HELP)(push)
