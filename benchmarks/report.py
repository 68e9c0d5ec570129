"""Figures on paper: tables for people, and one block of Markdown for the documentation."""

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.conditions import lines
from benchmarks.figures import Figure, Table


def show_conditions(console: Console, found: Mapping[str, str]) -> None:
    """Print the conditions."""
    for line in lines(found):
        console.print(Text(line, style="dim"))


def show(console: Console, figure: Figure) -> None:
    """Print a figure."""
    console.print()
    console.rule(Text(figure.title, style="bold"), align="left")
    for table in figure.tables:
        console.print(_rich(table))
    for goal in figure.goals:
        console.print(Text(f"goal: {goal}", style="green" if goal.met else "red"))
    for note in figure.notes:
        console.print(Text(f"· {note}", style="dim"))


def _rich(table: Table) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, title=table.title or None)
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if number else "left")
    for row in table.rows:
        # Headers may wrap where the terminal is narrow, figures may not.
        shown.add_row(*(Text(cell.replace(" ", "\N{NO-BREAK SPACE}")) for cell in row))
    return shown


def markdown(found: Mapping[str, str], figures: Iterable[Figure]) -> str:
    """All of it as Markdown."""
    parts = ["## Figures", "", *(f"- {line}" for line in lines(found))]
    for figure in figures:
        parts += ["", f"### {figure.title}", ""]
        for table in figure.tables:
            title = [f"{table.title}:", ""] if table.title else []
            parts += [*title, *_markdown_table(table), ""]
        parts += [f"- Goal: {goal}" for goal in figure.goals]
        parts += [f"- {note}" for note in figure.notes]
    return "\n".join(parts) + "\n"


def _markdown_table(table: Table) -> list[str]:
    rules = ["---"] + ["---:"] * (len(table.columns) - 1)
    return ["| " + " | ".join(row) + " |" for row in (table.columns, rules, *table.rows)]
