"""`latest --watch`: follows the updates of a feed until stopped. Its looks: `latest_view`."""

import threading
from typing import Final

import typer

from trade_assets.agent.interruption import stop_on_signals
from trade_assets.cli.latest_view import View
from trade_assets.errors import StoreUnavailableError
from trade_assets.readers.latest_selection import Selection
from trade_assets.settings import Settings
from trade_assets.stores.redis.updates import UpdateReader

WAIT_SECONDS: Final = 1.0


def follow(settings: Settings, selection: Selection, view: View) -> None:
    """Show what is there and then every change, until SIGINT or SIGTERM.

    Raises:
        StoreUnavailableError: Redis cannot be reached at the start; later that is waited out.
    """
    reader = UpdateReader(settings, selection.feed)
    try:
        # Marked first, so that no change falls between what is shown and what is followed.
        reader.mark()
        with stop_on_signals() as stop, view:
            view.show_all(as_one=False)
            _follow(reader, view, stop)
    finally:
        reader.close()


def _follow(reader: UpdateReader, view: View, stop: threading.Event) -> None:
    pending: dict[str, None] = {}
    away = False
    while not stop.is_set():
        try:
            for update in reader.read(WAIT_SECONDS):
                pending |= dict.fromkeys(update.record_keys)
            view.show_changed(pending)
        except StoreUnavailableError as error:
            if not away:
                typer.secho(f"{error}; waiting", fg="yellow", err=True)
            away = True
            stop.wait(WAIT_SECONDS)
            continue
        if away:
            typer.secho("Redis is back", fg="green", err=True)
        pending, away = {}, False
