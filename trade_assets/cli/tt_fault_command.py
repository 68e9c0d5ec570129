"""`trade-assets tt-fault`: switches faults of the running TT simulator on and off."""

from enum import StrEnum
from typing import Annotated, Any

import typer

# As `simulators.tt.faults.FaultKind`, whose import would make `--help` slow; a test holds them
# together.


class Kind(StrEnum):
    """What can be wrong."""

    LATENCY = "latency"
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    DROP = "drop"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105
    MALFORMED = "malformed"
    EMPTY_PAGE = "empty_page"
    MAINTENANCE = "maintenance"


class Body(StrEnum):
    """What a malformed answer is."""

    TRUNCATED = "truncated"
    HTML = "html"


app = typer.Typer(
    name="tt-fault", help="Break the local TT simulator on purpose.", no_args_is_help=True
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.command("add")
def add(
    kind: Annotated[Kind, typer.Argument(help="What shall be wrong.")],
    *,
    service: Annotated[str | None, typer.Option(help="Only calls of it: `ttledger`.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Only calls of it: `orders`.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="So many calls, then over.")] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Latency: how late each answer is; others: how long it lasts."),
    ] = None,
    status: Annotated[
        int | None, typer.Option(min=500, max=599, help="Of a server error (default: 500).")
    ] = None,
    retry_after: Annotated[
        float | None, typer.Option(min=0, help="Seconds, for the Retry-After header.")
    ] = None,
    body: Annotated[Body | None, typer.Option(help="Of a malformed answer.")] = None,
    last: Annotated[bool, typer.Option(help="An empty page claims to be the last one.")] = False,
) -> None:
    """Switch a fault on; it lasts until its count or time is over, or until `clear`."""
    given: dict[str, Any] = {
        "fault": kind.value,
        "service": service,
        "endpoint": endpoint,
        "count": count,
        "seconds": seconds,
        "status": status,
        "retry_after": retry_after,
        "body": body and body.value,
        "last": last or None,
    }
    made = _ask("POST", {name: value for name, value in given.items() if value is not None})
    typer.echo(f"fault {made['number']} is on")


@app.command("list")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the faults that are on."""
    import orjson

    found = _ask("GET")
    if as_json:
        typer.echo(orjson.dumps(found).decode())
        return
    for fault in found["faults"]:
        words = [f"{name}={value}" for name, value in fault.items() if value is not None]
        typer.echo(" ".join(words))
    if not found["faults"]:
        typer.echo("no faults")


@app.command("clear")
def clear() -> None:
    """Switch all faults off."""
    _ask("DELETE")
    typer.echo("no faults")


def _ask(method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the simulator's control says.

    Raises:
        LocalStackError: nobody answers there, or what was asked is refused.
    """
    import orjson
    import urllib3

    from trade_assets.errors import LocalStackError
    from trade_assets.settings import Profile, load_settings

    settings = load_settings()
    if settings.profile is not Profile.LOCAL:
        raise LocalStackError("only the local TT simulator has faults to switch")
    url = f"{settings.tt_url}/simulator/faults"
    try:
        answer = urllib3.request(
            method, url, body=body and orjson.dumps(body), retries=False, timeout=5.0
        )
        found = orjson.loads(answer.data)
    except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError) as error:
        raise LocalStackError(
            f"no TT simulator answers at {settings.tt_url}; start it with `trade-assets up` or "
            "`trade-assets tt-simulator`"
        ) from error
    if answer.status >= 400:
        raise LocalStackError(f"the TT simulator refuses: {found.get('error', found)}")
    return dict(found)
