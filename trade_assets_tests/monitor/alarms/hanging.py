"""A process that looks at one active condition, and hangs while it tells its second channel."""

import sys
import time
from datetime import datetime

from trade_assets.monitor.alarms.conditions import Condition
from trade_assets.monitor.alarms.evaluator import AlarmEvaluator
from trade_assets.monitor.alarms.notifier import Notifier
from trade_assets.settings import load_settings
from trade_assets.stores.redis.client import connect
from trade_assets_tests.monitor.alarms.doubles import NotingChannel


def main(redis_url: str, name: str, now: str, lease_seconds: str) -> None:
    settings = load_settings(redis_url=redis_url)
    client = connect(settings)
    first, second = NotingChannel(client, "first"), NotingChannel(client, "second")

    def hang() -> None:
        client.set("hangs", "1")
        time.sleep(600)

    second.before = hang
    notifier = Notifier([first, second])
    evaluator = AlarmEvaluator(notifier, client, lease_seconds=float(lease_seconds))
    evaluator.look([Condition(name, "title", True, "detail")], datetime.fromisoformat(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
