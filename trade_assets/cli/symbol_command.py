"""`trade-assets symbol`: one instrument's names in every system."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date

    from trade_assets.market.symbols import Instrument, SymbolNotation

_HELP = """\
Show what every system calls an instrument: its canonical id, Actant risk, Actant trades, Actant \
time, Bloomberg, CME and TT.

SYMBOL is read in every notation, unless --notation names one; where several understand it, each \
meaning is shown. A year of one digit is the one nearest to today, or to --as-of.

\b
Examples:
  trade-assets symbol XCME.VY3.21JUL25.110:75.C
  trade-assets symbol "VBYN25C3 110.75 Comdty" --json
  trade-assets symbol ZNU5 --notation cme --as-of 2025-07-17

Exit code: 0; 1 if no notation understands it, with each one's reason; 2 for a wrong option.
"""


def symbol(
    text: Annotated[str, typer.Argument(metavar="SYMBOL", help="As any of the systems writes it.")],
    notation: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read it as this one's symbol only.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="A day of its use (ISO).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Translate a symbol."""
    import orjson

    notations, day = _notations(notation), _day(as_of)
    found, reasons = _meanings(text, notations, day)
    if as_json:
        meanings = [_facts(item) for item in found]
        typer.echo(orjson.dumps(meanings, option=orjson.OPT_INDENT_2).decode())
    for item in () if as_json else found:
        typer.echo("\n".join(f"{name:<14} {value}" for name, value in _facts(item).items()) + "\n")
    if not found:
        for reason in reasons:
            typer.secho(reason, fg="red", err=True)
        raise typer.Exit(1)


def _notations(name: str | None) -> "list[SymbolNotation]":
    from trade_assets.market.symbols import SymbolNotation

    if name is None:
        return list(SymbolNotation)
    try:
        return [SymbolNotation(name)]
    except ValueError:
        known = ", ".join(SymbolNotation)
        raise typer.BadParameter(f"no notation {name!r}; there are {known}") from None


def _day(text: str | None) -> "date":
    from datetime import UTC, date, datetime

    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--as-of {text!r} is no ISO date, such as 2025-07-17") from None


def _meanings(
    text: str, notations: "list[SymbolNotation]", day: "date"
) -> "tuple[list[Instrument], list[str]]":
    """What the symbol stands for, each instrument once; and why notations do not know it."""
    from trade_assets.errors import SymbolError
    from trade_assets.market.symbols import SymbolNotation, parse_id, parse_symbol

    found, reasons = {}, []
    if len(notations) == len(SymbolNotation):
        try:
            found[text] = parse_id(text)
        except SymbolError as error:
            reasons.append(str(error))
    for notation in notations:
        try:
            item = parse_symbol(text, notation, day)
        except SymbolError as error:
            reasons.append(str(error))
        else:
            found[item.instrument_id] = item
    return list(found.values()), reasons


def _facts(item: "Instrument") -> dict[str, str]:
    """What there is to say about an instrument, and its symbols; what it has not is left out."""
    from contextlib import suppress

    from trade_assets.errors import SymbolError
    from trade_assets.market.instrument import strike_text
    from trade_assets.market.symbols import SymbolNotation, format_symbol, tt_alias

    facts = {
        "instrument_id": item.instrument_id,
        "kind": item.kind.value,
        "product": item.product,
        "expiry": item.expiry,
        "strike_price": None if item.strike is None else strike_text(item.strike),
        "put_call": item.put_call,
        "underlying_id": item.underlying_id,
    }
    shown = {name: str(value) for name, value in facts.items() if value is not None}
    for notation in SymbolNotation:
        with suppress(SymbolError):
            shown[notation.value] = format_symbol(_named_there(item, notation), notation)
    with suppress(SymbolError):
        shown["tt_alias"] = tt_alias(item)
    return shown


def _named_there(item: "Instrument", notation: "SymbolNotation") -> "Instrument":
    """What a notation names of an instrument: time to expiry is that of a series, whatever the
    strike."""
    from trade_assets.market.symbols import SymbolNotation, parse_id

    if notation is SymbolNotation.ACTANT_TIME and item.strike is not None:
        return parse_id(item.contract)
    return item


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("symbol", help=_HELP)(symbol)
