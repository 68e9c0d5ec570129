"""`trade-assets`: the command line, assembled of the command modules that lie beside this one.

Heavy imports stay inside the command functions, so that `--help` answers at once.
"""

import sys
from importlib import import_module
from typing import Annotated, Final

import typer

from trade_assets.errors import TradeAssetsError
from trade_assets.settings import bypass_proxies_for_loopback

PROGRAM: Final = "trade-assets"
"""Its name, which the shell's completion knows, however it was started."""

COMMANDS: Final = (
    "up",
    "push",
    "replay",
    "desk",
    "tt_simulator",
    "tt_fault",
    "latest",
    "history",
    "status",
    "symbol",
    "provision",
    "rebuild",
)
"""Every command, in the order in which `--help` shows them; `up` is `register` of `up_command`."""

app = typer.Typer(
    name=PROGRAM,
    help="Market data of a trading desk as Dagster assets.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
for _name in COMMANDS:
    import_module(f"trade_assets.cli.{_name}_command").register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{PROGRAM} {version('trade_assets')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """What is common to all commands; each option has done its work by now."""


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1, never a traceback."""
    bypass_proxies_for_loopback()
    try:
        app(prog_name=PROGRAM)
    except TradeAssetsError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
