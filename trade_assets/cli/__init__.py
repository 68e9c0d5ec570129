"""The commands of `trade-assets`: arguments, output, exit code. No logic here.

A command is a module with `register(app)`; beside them lie modules that say how what they read is
shown. Heavy imports stay inside the command functions, so that `--help` answers at once.
"""

import typer

from trade_assets.cli import desk_command as desk
from trade_assets.cli import history_command as history
from trade_assets.cli import latest_command as latest
from trade_assets.cli import provision_command as provision
from trade_assets.cli import push_command as push
from trade_assets.cli import replay_command as replay
from trade_assets.cli import status_command as status
from trade_assets.cli import symbol_command as symbol
from trade_assets.cli import tt_fault_command as tt_fault
from trade_assets.cli import tt_simulator_command as tt_simulator
from trade_assets.cli import up_command as up


def register_all(app: typer.Typer) -> None:
    """Add every command, in the order in which `--help` shows them."""
    streams = (push, replay, desk, tt_simulator, tt_fault)
    for module in (up, *streams, latest, history, status, symbol, provision):
        module.register(app)
