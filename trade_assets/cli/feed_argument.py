"""What the commands that read a feed share: its argument, and a help that lists the feeds."""

from collections import Counter
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

FEEDS_HERE: Final = "{feeds}"
"""Stands in a help text for the list of feeds."""


def complete_feed(incomplete: str) -> list[str]:
    """The paths of data sets, and the names that stand for one, that begin so."""
    from trade_assets.datasets.catalogue import catalogue

    datasets = catalogue()
    names = Counter(dataset.name for dataset in datasets.values())
    short = [name for name, count in names.items() if count == 1]
    return [name for name in (*datasets, *short) if name.startswith(incomplete)]


FeedName = Annotated[
    str,
    typer.Argument(
        metavar="FEED",
        help="A feed, e.g. actant/spot_risk or spot_risk.",
        autocompletion=complete_feed,
    ),
]


class FeedCommand(TyperCommand):
    """A command whose help lists the feeds, read from the catalogue when the help is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from trade_assets.datasets.catalogue import catalogue

        datasets = catalogue()
        width = max(map(len, datasets))
        lines = "\n".join(f"  {path:<{width}}  {feed.title}" for path, feed in datasets.items())
        self.help = (self.help or "").replace(FEEDS_HERE, lines)
        super().format_help(ctx, formatter)
