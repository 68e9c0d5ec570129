"""How `trade-assets up --json` tells programs what goes on: one JSON object a line.

Each has `event`: `step` (`text`, `seconds`), `running` (`dagster_ui`, `answered`, `parts`),
`status` (`programs`, and what the stores say), `incident` (`program`, `message`, `detail`),
`stopped`.
"""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Self

import orjson
import typer

if TYPE_CHECKING:
    from trade_assets.local.stack import Stack

STATUS_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 1.0


def tell(event: str, **fields: object) -> None:
    """Print one event."""
    typer.echo(orjson.dumps({"event": event, **fields}).decode())


class JsonSteps:
    """The steps of starting and stopping, as events."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """The step before is done, this one begins."""
        tell("step", text=text, seconds=round(time.monotonic() - self._started, 1))

    def pause(self) -> None:
        """Nothing is left open between two lines."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def tell_where(stack: "Stack", *, answered: bool) -> None:
    """The parts, and whether the Dagster UI answers."""
    from trade_assets.local.stack_status import where_rows

    rows = where_rows(stack.settings, stack.paths, stack.programs)
    parts = [{"what": what.strip(), "where": where, "log": log} for what, where, log in rows]
    tell("running", dagster_ui=rows[0][1], answered=answered, parts=parts)


def tell_status(stack: "Stack") -> None:
    """Status now and then, incidents at once, until a signal ends it."""
    from trade_assets.local.stack_status import StatusReader

    reader = StatusReader(stack.settings)
    told = 0.0
    try:
        while True:
            states, incidents = stack.watch()
            for incident in incidents:
                tell("incident", **asdict(incident))
            if time.monotonic() - told >= STATUS_SECONDS:
                told = time.monotonic()
                programs = {name: state.state.lower() for name, state in states.items()}
                tell("status", programs=programs, **asdict(reader.read()))
            time.sleep(LOOK_SECONDS)
    finally:
        reader.close()
