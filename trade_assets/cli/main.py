"""`trade-assets`: assembles the command line. The commands are modules of `commands`."""

import sys

import typer

from trade_assets.cli import register_all
from trade_assets.errors import TradeAssetsError
from trade_assets.settings import bypass_proxies_for_loopback

app = typer.Typer(
    name="trade-assets",
    help="Market data of a trading desk as Dagster assets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
register_all(app)


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1, never a traceback."""
    bypass_proxies_for_loopback()
    try:
        app()
    except TradeAssetsError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
