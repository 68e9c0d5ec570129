"""Keys and columns as the reading commands are asked for them. No tables."""

from collections.abc import Callable, Iterable, Sequence

import typer

from trade_assets.cli.shown_values import CUT
from trade_assets.datasets.column_names import EVENT_TIME, RECORD_KEY
from trade_assets.datasets.described import Described


def chosen_columns(feed: Described, text: str | None) -> list[str] | None:
    """Columns of a comma-separated option, with the record's key and time in front; None if all.

    Raises:
        typer.BadParameter: naming a column that the feed lacks, and those that it has.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in feed.column_kinds]
    if unknown or not names:
        what = f"{feed.path} has no column {', '.join(unknown)}" if unknown else "no column named"
        raise typer.BadParameter(f"{what}; its columns are {', '.join(feed.column_kinds)}")
    return list(dict.fromkeys([RECORD_KEY, EVENT_TIME, *names]))


def uncut(texts: Iterable[str], record_keys: Callable[[], Sequence[str]]) -> list[str]:
    """Record keys as they are asked for, where tables may have cut them: of a text that ends with
    `…` the one key that begins so, and the text itself where none does.

    Raises:
        typer.BadParameter: several begin so.
    """
    keys: list[str] = []
    for text in texts:
        begin = text.removesuffix(CUT)
        found = [key for key in record_keys() if key.startswith(begin)] if begin != text else []
        if len(found) > 1:
            raise typer.BadParameter(f"{text!r} may be any of {', '.join(found)}")
        keys.append(found[0] if found else text)
    return keys
