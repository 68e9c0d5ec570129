"""The commands of `trade-assets`, one module each: arguments, output, exit code. No logic here.

Every module has `register(app)`. Heavy imports stay inside the command functions, so that `--help`
answers at once.
"""

import typer

from trade_assets.commands import desk, push, read, replay, up


def register_all(app: typer.Typer) -> None:
    """Add every command, in the order in which `--help` shows them."""
    for module in (up, push, replay, desk, read):
        module.register(app)
