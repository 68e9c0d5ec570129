"""How `status` says how long history is kept. Facts: `ingest.health_section`."""

from collections.abc import Iterator, Mapping

from rich.text import Text

from trade_assets.ingest.health_section import KeptStatus


def kept_lines(kept: KeptStatus) -> Iterator[Text]:
    """One line, and one for what is kept for another time."""
    if kept.local_hours is None:
        yield Text("history: kept for ever")
    else:
        hours = f"{kept.local_hours:g} h after landing"
        yield Text(f"history and files: kept {hours} (TRADE_ASSETS_LOCAL_HISTORY_HOURS)")
    others = [*_named(kept.longer), *_named(kept.by_event_time)]
    if others:
        yield Text(f"  but {', '.join(others)}", style="dim")


def _named(hours: Mapping[str, float]) -> Iterator[str]:
    """Data sets by how long they are kept."""
    for own in sorted(set(hours.values())):
        paths = " ".join(path for path, item in hours.items() if item == own)
        yield f"{paths} {own / 24:g} days"
