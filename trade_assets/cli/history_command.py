"""`trade-assets history`: every version of one record, from DynamoDB."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from trade_assets.cli.feed_argument import FeedCommand, FeedName

DEFAULT_RECORDS: Final = 100

_HELP = """\
Show how one record of a feed came along, from DynamoDB.

KEY is a record key as `trade-assets latest` shows it. Records come newest first, at most 100 \
unless --limit says otherwise. A table has times in US Central and the columns that fit the \
terminal, the most important first (all of them with --wide and into a pipe); what is missing is \
blank.

With --json it is one JSON array, a record a line. Numbers are exact, digit by digit; what is \
missing is null; times are ISO 8601 in UTC. A line on standard error says if there are more.

Of spot risk a record that says what the one before says is not kept: what is shown held until the \
next one.

Times of --since and --until are ISO 8601; one without a zone is UTC.

\b
The feeds:
{feeds}

\b
Examples:
  trade-assets history spot_risk XCME.ZN.SEP25
  trade-assets history spot_risk XCME.ZN.SEP25 --since 2025-07-17T08:00-05:00 --oldest-first
  trade-assets history fills 1001 --json
  trade-assets history spot_risk XCME.ZN.SEP25 --since 2025-07-17 --until 2025-07-18 --limit 5000

Exit code: 0, also if there is no record; 1 if DynamoDB is away; 2 for a wrong option.
"""


def history(
    feed: FeedName,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The record key.")],
    since: Annotated[
        str | None, typer.Option(metavar="ISO", help="From this event time on, inclusive.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="ISO", help="Before this event time, exclusive.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="At most so many records.")
    ] = DEFAULT_RECORDS,
    oldest_first: Annotated[
        bool, typer.Option("--oldest-first", help="By time upwards instead of downwards.")
    ] = False,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="These columns, beside record key and event time."),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="All columns, and ids in full, however long the lines.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Show the history of a record."""
    from itertools import islice

    from trade_assets.cli.shown_records import chosen_columns, uncut
    from trade_assets.cli.tables import history_table, make_console
    from trade_assets.datasets.registry import dataset_named
    from trade_assets.ingest.ingest_stores import IngestStores
    from trade_assets.readers.history_pages import HistoryReader, Range
    from trade_assets.readers.typed_records import json_array
    from trade_assets.settings import load_settings

    settings = load_settings()
    chosen_feed = dataset_named(feed)
    names = chosen_columns(chosen_feed, columns)
    start, end = _moment(since, "--since"), _moment(until, "--until")
    if start and end and start >= end:
        raise typer.BadParameter("--since has to be before --until")
    with IngestStores.open(settings, patient=False) as stores:
        (key,) = uncut([key], lambda: stores.latest.record_keys(chosen_feed))
        wanted = Range(start, end, newest_first=not oldest_first)
        records = HistoryReader(stores.history).every(chosen_feed, key, wanted, most=limit + 1)
        shown = islice(records, limit)
        if as_json:
            for line in json_array(shown, names):
                typer.echo(line, nl=False)
            more = next(records, None) is not None
        else:
            rows = list(shown)
            more = next(records, None) is not None
            console = make_console(wide=wide)
            none = [] if rows else ["no record (of this key, in this time)"]
            console.print(
                history_table(chosen_feed, key, rows, names, width=console.width, notes=none)
            )
    if more:
        typer.echo(f"there are more than {limit:,} records: --limit shows more", err=True)


def _moment(text: str | None, option: str) -> datetime | None:
    """The time of an option, aware."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{option} {text!r} is no ISO 8601 time, such as 2025-07-17T13:30:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history", help=_HELP, cls=FeedCommand)(history)
