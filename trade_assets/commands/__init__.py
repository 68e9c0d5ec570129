"""The commands of `trade-assets`: arguments, output, exit code. No logic here.

A command is a module with `register(app)`; beside them lie modules that say how what they read is
shown. Heavy imports stay inside the command functions, so that `--help` answers at once.
"""

import typer

from trade_assets.commands import (
    desk,
    history,
    latest,
    provision,
    push,
    replay,
    status,
    symbol,
    up,
)


def register_all(app: typer.Typer) -> None:
    """Add every command, in the order in which `--help` shows them."""
    for module in (up, push, replay, desk, latest, history, status, symbol, provision):
        module.register(app)
