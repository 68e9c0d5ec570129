"""`trade-assets status`: one look at everything."""

from typing import Annotated, Final

import typer

WATCH_SECONDS: Final = 2.0

_HELP = """\
Show in one look how the platform is doing.

Which parts answer; per feed the last file, its times, lag, record keys and freshness; the stream \
runs that are alive; what waits in the queue and what was given up (dead letters); the newest \
files in quarantine and why; the TT snapshots. A part that is away is shown as such, and the \
others still show. Looking changes nothing: dead letters stay where they are, and TT is not asked.

Of the TT snapshots: the newest whole slot, the slots of the last hour that are not whole and why, \
how fresh each kind is, the circuit breaker, the requests of the last 24 hours and what they came \
to today (UTC), and the alarms that are on. Nothing of it is a problem while snapshots are \
switched off or no slot is due.

A feed is stale when no file was ingested within its limit (setting \
TRADE_ASSETS_FRESHNESS_SECONDS), so a desk that is closed shows as stale. Ages go by the clock of \
this machine. Quarantined files are shown but are no fault of the platform.

With --watch it looks again every 2 s until Ctrl-C; with --json too, that is one JSON object a line.

\b
Examples:
  trade-assets status
  trade-assets status --watch
  trade-assets status --json | jq .problems

Exit code (with --watch of the last look): 0 healthy; 2 something is down, a feed or a kind of \
snapshot is stale or empty, no stream run consumes, there are dead letters, the breaker is open, \
the day's requests run out, or slots in a row are missed; 1 for wrong settings.
"""


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Look again every 2 s.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """Look once, or again and again."""
    from trade_assets.agent.interruption import stop_on_signals
    from trade_assets.cli.status_view import JsonView, LiveView, TextView
    from trade_assets.cli.tables import make_console
    from trade_assets.monitor.health import HealthObserver
    from trade_assets.settings import load_settings

    settings = load_settings()
    console = make_console()
    if as_json:
        view: JsonView | TextView = JsonView(lines=watch)
    else:
        view = LiveView(console) if watch and console.is_terminal else TextView(console)
    with HealthObserver(settings) as observer:
        if not watch:
            health = observer.look()
            view.show(health)
        else:
            with stop_on_signals() as stop, view:
                while True:
                    health = observer.look()
                    view.show(health)
                    if stop.wait(WATCH_SECONDS):
                        break
    raise typer.Exit(2 if health.problems else 0)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", help=_HELP)(status)
