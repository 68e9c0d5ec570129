"""`trade-assets provision`: makes what the platform needs on AWS, once."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(provision)


def provision(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Make bucket, queues, notification, tables and topic; what is there already is left alone.

    Uses the credentials of the profile (TRADE_ASSETS_PROFILE=aws: the ordinary AWS chain).
    `trade-assets up` does this by itself for the local parts.
    """
    import orjson

    from trade_assets.settings import load_settings
    from trade_assets.stores.provision import provision as make

    made = make(load_settings())
    if as_json:
        typer.echo(orjson.dumps({"created": made.created, "found": made.found}).decode())
        return
    for state, names in (("made", made.created), ("there", made.found)):
        for name in names:
            typer.echo(f"{state:<6} {name}")
