"""`trade-assets latest`: the newest record of every key of a feed, from Redis."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from trade_assets.cli.feed_argument import FeedCommand, FeedName

if TYPE_CHECKING:
    from trade_assets.cli.latest_view import View

_HELP = """\
Show the newest record of every key of a feed, from Redis.

Newest first, then by key. Times are US Central; the head has the newest in UTC too, and `age` is \
the time since the record was true. Numbers show every digit that is stored, what is missing is \
blank. A set that every slot replaces as a whole (TT's orders and positions) is shown as one \
picture, and the head has its slot. A table shows the columns that fit the terminal, the most \
important first (all of them with --wide and into a pipe), and up to 40 records; ids are cut to \
what tells them apart, and a KEY may be as a table shows it.

With --json it is one JSON array, all records unless --limit says less, a record a line. Numbers \
are exact, digit by digit; what is missing is null; times are ISO 8601 in UTC.

With --watch it follows the changes until Ctrl-C: a terminal shows the table as it is now, a pipe \
gets a table of every change, and --json writes one JSON object a line, first for what is there, \
then for each record that changes, and {"record_key": …, "gone": true} for one that is not in \
a replaced set any more. Redis going away is waited out.

\b
The feeds:
{feeds}

\b
Examples:
  trade-assets latest spot_risk
  trade-assets latest spot_risk XCME.ZN.SEP25 --json
  trade-assets latest spot_risk --like 21JUL25 --columns bid_price,ask_price
  trade-assets latest tt/orders --wide
  trade-assets latest fills --limit 10 --watch

Exit code: 0; 1 if a KEY has no record, or Redis is away; 2 for a wrong option.
"""


def latest(
    feed: FeedName,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="Only these record keys.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only keys that contain TEXT, in any case."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="These columns, beside record key and event time."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many records.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the changes.")] = False,
    wide: Annotated[
        bool, typer.Option("--wide", help="All columns, and ids in full, however long the lines.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Show or follow newest records."""
    from trade_assets.cli.latest_view import JsonLinesView, LiveView, TableView
    from trade_assets.cli.shown_records import chosen_columns, uncut
    from trade_assets.cli.tables import make_console
    from trade_assets.datasets.catalogue import entry_named
    from trade_assets.readers.latest_selection import Selection
    from trade_assets.settings import load_settings
    from trade_assets.stores.redis.latest_reader import LatestReader

    settings = load_settings()
    chosen_feed = entry_named(feed)
    names = chosen_columns(chosen_feed, columns)
    console = make_console(wide=wide)
    with closing(LatestReader(settings)) as reader:
        asked = uncut(keys or (), lambda: reader.record_keys(chosen_feed))
        selection = Selection(reader, chosen_feed, asked, like, limit)
        view: View
        if as_json:
            view = JsonLinesView(selection, names)
        elif watch and console.is_terminal:
            view = LiveView(selection, names, console)
        else:
            view = TableView(selection, names, console)
        if watch:
            from trade_assets.cli.latest_watch import follow

            follow(settings, selection, view)
            return
        missing = view.show_all(as_one=True)
    if missing:
        for key in missing:
            typer.secho(f"no record {key!r} in {chosen_feed.path}", fg="red", err=True)
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("latest", help=_HELP, cls=FeedCommand)(latest)
