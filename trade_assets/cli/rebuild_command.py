"""`trade-assets rebuild`: puts back into Redis what is kept elsewhere."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trade_assets.ingest.rebuilding import Progress
    from trade_assets.stores.connections import Connections


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rebuild)


def rebuild(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a step, for programs.")
    ] = False,
) -> None:
    """Rebuild Redis from the files in the bucket and the history in DynamoDB, newest first.

    The sensor `redis_life` does so by itself when Redis has lost its data; this does it now, in
    this process, whatever Redis has. Nothing that is newer is replaced: files and snapshots may
    come meanwhile, and it may be stopped and begun again at any time. TT is not asked.
    """
    from trade_assets.ingest.rebuilding import rebuild_redis
    from trade_assets.settings import load_settings
    from trade_assets.stores.connections import Connections

    connections = Connections(load_settings())
    try:
        if as_json:
            rebuild_redis(connections, _tell)
        else:
            _show(connections)
    finally:
        connections.close()


def _tell(progress: "Progress") -> None:
    from dataclasses import asdict

    import orjson

    typer.echo(orjson.dumps(asdict(progress)).decode())


def _show(connections: "Connections") -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from trade_assets.ingest.rebuilding import rebuild_redis

    console = Console(highlight=False, soft_wrap=True)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("looking for what is kept", total=None)
        done = rebuild_redis(
            connections,
            lambda step: bar.update(
                task, total=step.total, completed=step.done, description=step.text
            ),
        )
    console.print(f"rebuilt: {done.total:,} hours, {done.records:,} records put back")
