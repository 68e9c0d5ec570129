"""A process that asks once for the orders when it is told to: `python -m …one_caller`."""

import sys

from trade_assets.logs import configure
from trade_assets.settings import load_settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.client.tt_client import TtClient
from trade_assets_tests.tt.client.conftest import GivenCredentials
from trade_assets_tests.tt.client.samples import credential

READY = "ready"


def main() -> None:
    """Say that it is ready, wait for a line, ask, print the number of rows."""
    settings = load_settings()
    configure(settings)
    client = connect(settings)
    with TtClient(settings, client, credentials=GivenCredentials(credential())) as tt:
        print(READY, flush=True)  # noqa: T201
        sys.stdin.readline()
        print(len(tt.orders()[0].rows), flush=True)  # noqa: T201
    disconnect(client)


if __name__ == "__main__":
    main()
