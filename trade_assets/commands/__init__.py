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
    tt_fault,
    tt_simulator,
    up,
)


def register_all(app: typer.Typer) -> None:
    """Add every command, in the order in which `--help` shows them."""
    streams = (push, replay, desk, tt_simulator, tt_fault)
    for module in (up, *streams, latest, history, status, symbol, provision):
        module.register(app)
