"""The simulator as a process: its port, its start and its end."""

import logging
import signal
import socket
from collections.abc import Callable
from typing import Final

import uvicorn

from trade_assets.errors import PortInUseError, SettingsError
from trade_assets.ports import LOOPBACK, PortNeed, require_free
from trade_assets.remote.secrets import SecretsManagerCredentials
from trade_assets.settings import Profile, Settings
from trade_assets.simulators.tt.account import Market
from trade_assets.simulators.tt.app import TtApi, build_app
from trade_assets.simulators.tt.control import control_routes
from trade_assets.simulators.tt.simulator_options import SimulatorOptions

STOP_SECONDS: Final = 1
"""Calls that are still answered have so long when the process is to end."""

SETTING: Final = "TRADE_ASSETS_TT_SIMULATOR_PORT"
_HUNG_UP: Final = "without completing response"


class _OrdinaryErrors(logging.Filter):
    """Keeps out what uvicorn says of a connection that is cut on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return _HUNG_UP not in record.getMessage()


class _Server(uvicorn.Server):
    """Ends what makes calls wait before it waits for the calls."""

    def __init__(self, config: uvicorn.Config, api: TtApi) -> None:
        super().__init__(config)
        self._api = api

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        self._api.stop()
        await super().shutdown(sockets)


def serve(
    settings: Settings, options: SimulatorOptions, port: int, ready: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` hears the URL. Port 0 is any free one.

    Raises:
        SettingsError: the profile is not `local`: real keys have no business here.
        PortInUseError: somebody else has the port.
    """
    if settings.profile is not Profile.LOCAL:
        raise SettingsError("the TT simulator needs TRADE_ASSETS_PROFILE=local")
    with _listen(port) as listener:
        api = TtApi(
            Market(options),
            options,
            settings.tt.environment.value,
            SecretsManagerCredentials(settings, settings.tt_secret_name),
        )
        api.market.orders(api.market.now_ns())  # the day so far, before anybody waits for it
        config = uvicorn.Config(
            build_app(api, control_routes(api)),
            http="h11",
            ws="none",
            lifespan="off",
            log_level=logging.WARNING,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        logging.getLogger("uvicorn.error").addFilter(_OrdinaryErrors())
        # uvicorn raises the signal again when it has ended: that shall not look like a crash.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        ready(f"http://{LOOPBACK}:{listener.getsockname()[1]}")
        _Server(config, api).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        require_free(PortNeed(port, "the TT simulator", SETTING))
        raise PortInUseError(f"port {port} cannot be had: {error.strerror}") from error
    return listener
