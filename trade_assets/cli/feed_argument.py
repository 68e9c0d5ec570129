"""What the commands that read a feed share: its argument, and a help that lists the feeds."""

from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

FEEDS_HERE: Final = "{feeds}"
"""Stands in a help text for the list of feeds."""

FeedName = Annotated[
    str, typer.Argument(metavar="FEED", help="A feed, e.g. actant/spot_risk or spot_risk.")
]


class FeedCommand(TyperCommand):
    """A command whose help lists the feeds, read from the registry when the help is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from trade_assets.datasets.registry import all_datasets

        datasets = all_datasets()
        width = max(map(len, datasets))
        lines = "\n".join(f"  {path:<{width}}  {feed.title}" for path, feed in datasets.items())
        self.help = (self.help or "").replace(FEEDS_HERE, lines)
        super().format_help(ctx, formatter)
