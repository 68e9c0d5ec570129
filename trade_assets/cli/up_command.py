"""`trade-assets up`: starts the whole platform on this machine and shows how it is doing.

What is started, and how, is in `trade_assets.local`; here is only what the terminal shows.
"""

import time
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from trade_assets.local.stack import Incident, Stack
    from trade_assets.local.stack_status import StatusReader

LIVE_SECONDS: Final = 1.0
PLAIN_SECONDS: Final = 10.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    *,
    simulator: Annotated[
        bool, typer.Option(help="Also run a simulated desk and a simulated TT.")
    ] = True,
    only: Annotated[
        str, typer.Option(help="Concepts to start, e.g. feeds,tt [default: the setting, else all].")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for programs.")
    ] = False,
    module: Annotated[
        str, typer.Option(hidden=True, help="Module with the Dagster definitions.")
    ] = "trade_assets.definitions",
) -> None:
    """Set up and start everything on this machine; Ctrl-C stops it all.

    Starts a stand-in for AWS, Redis, Dagster, a simulated desk with its push agent, and a simulated
    TT. State is kept in TRADE_ASSETS_HOME (default .trade_assets) and found again by the next
    start. With --only other concepts are neither started nor in the Dagster UI; TRADE_ASSETS_ONLY
    tells the other commands as well. Ports are those of AWS_ENDPOINT_URL,
    AWS_ENDPOINT_URL_DYNAMODB, TRADE_ASSETS_REDIS_URL, TRADE_ASSETS_DAGSTER_PORT and
    TRADE_ASSETS_TT_SIMULATOR_PORT.
    """
    from rich.console import Console

    from trade_assets.cli.up_json import JsonSteps, tell, tell_status, tell_where
    from trade_assets.local.stack import running_stack
    from trade_assets.local.stop_signals import StopSignals
    from trade_assets.settings import load_settings

    console = Console(highlight=False, soft_wrap=True)
    settings = load_settings(**({"only": only} if only else {}))
    signals = StopSignals(settings.home_path)
    try:
        with (
            signals,
            JsonSteps() if as_json else _Steps(console) as steps,
            running_stack(
                settings,
                simulator=simulator,
                module=module,
                say=steps.say,
                stopping=signals.begin_stop,
            ) as stack,
        ):
            steps.say("waiting for the Dagster UI")
            answered = stack.await_ui()
            steps.pause()
            if as_json:
                tell_where(stack, answered=answered)
                tell_status(stack)
            _show_where(console, stack, answered=answered)
            _watch(console, stack)
    except KeyboardInterrupt:
        if as_json:
            tell("stopped")
        else:
            console.print("stopped")


class _Steps:
    """Progress of what takes a while: a spinner and the time, or plain lines if no terminal."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = console
        self._columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._new = Progress
        self._progress: Progress | None = None
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """The step before is done, this one begins."""
        if not self._console.is_terminal:
            self._console.print(f"[{time.monotonic() - self._started:6.1f} s] {text}", markup=False)
            return
        if self._progress is None:
            self._progress = self._new(*self._columns, console=self._console)
            self._progress.start()
        self._finish_step()
        self._progress.add_task(text, total=1)

    def _finish_step(self) -> None:
        if self._progress:
            for task in self._progress.task_ids:
                self._progress.update(task, completed=1)

    def pause(self) -> None:
        """The last step is done, and the terminal is for others until the next `say`."""
        self._finish_step()
        if self._progress:
            self._progress.stop()
            self._progress = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()


def _show_where(console: "Console", stack: "Stack", *, answered: bool) -> None:
    from trade_assets.local.stack_status import where_rows, where_table

    rows = where_rows(stack.settings, stack.paths, stack.programs)
    if console.is_terminal:
        console.print(where_table(rows))
    else:
        for what, where, log in rows:
            console.print(f"{what:<22} {where}  {log}".rstrip(), markup=False)
    if not answered:
        console.print("the Dagster UI does not answer yet; its log says why", style="yellow")


def _watch(console: "Console", stack: "Stack") -> None:
    """Show status and incidents until a signal ends it."""
    from trade_assets.local.stack_status import StatusReader

    reader = StatusReader(stack.settings)
    try:
        if console.is_terminal:
            _watch_live(console, stack, reader)
        else:
            _watch_plain(console, stack, reader)
    finally:
        reader.close()


def _watch_live(console: "Console", stack: "Stack", reader: "StatusReader") -> None:
    from rich.live import Live

    with Live("", console=console, auto_refresh=False, transient=True) as live:
        while True:
            programs, data = _look(live.console, stack, reader)
            live.update(f"{programs}\n{data}\nCtrl-C stops everything", refresh=True)
            time.sleep(LIVE_SECONDS)


def _watch_plain(console: "Console", stack: "Stack", reader: "StatusReader") -> None:
    shown = 0.0
    while True:
        programs, data = _look(console, stack, reader)
        if time.monotonic() - shown >= PLAIN_SECONDS:
            console.print(f"{time.strftime('%H:%M:%S')} {programs} · {data}", markup=False)
            shown = time.monotonic()
        time.sleep(LIVE_SECONDS)


def _look(console: "Console", stack: "Stack", reader: "StatusReader") -> tuple[str, str]:
    """Print what happened since the last look; the two lines of status."""
    from trade_assets.local.stack_status import data_line, program_line

    states, incidents = stack.watch()
    for incident in incidents:
        _print_incident(console, incident)
    return program_line(states, stack.programs), data_line(reader.read())


def _print_incident(console: "Console", incident: "Incident") -> None:
    console.print(
        f"{time.strftime('%H:%M:%S')} {incident.program}: {incident.message}", style="yellow"
    )
    if incident.detail:
        console.print(incident.detail, markup=False)
