"""`trade-assets desk`: a simulated desk that writes into a folder until it is stopped."""

from pathlib import Path
from typing import Annotated

import typer


def desk(
    folder: Annotated[Path, typer.Argument(help="Folder the desk writes into; made if missing.")],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the market [default: the setting].")
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Seconds between looks at the market; spot risk is written at most once a second "
            "[default: the setting].",
        ),
    ] = None,
    files: Annotated[int | None, typer.Option(min=1, help="Stop after so many files.")] = None,
) -> None:
    """Write every kind of file that a trading desk writes, when it does. Ctrl-C stops it."""
    import signal
    from threading import Event

    from trade_assets.errors import LocalStackError
    from trade_assets.settings import load_settings
    from trade_assets.simulators.desk.runner import run_desk

    settings = load_settings()
    stop_event = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop_event.set())
    typer.echo(f"desk: writing to {folder}", err=True)
    try:
        written = run_desk(
            folder,
            settings.local.simulator_seed if seed is None else seed,
            settings.local.simulator_interval_seconds if interval is None else interval,
            stop_event,
            max_files=files,
        )
    except OSError as error:
        raise LocalStackError(f"the desk cannot write to {folder}: {error}") from error
    typer.echo(f"desk: stopped after {written} files", err=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("desk")(desk)
