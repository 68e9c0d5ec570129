"""`trade-assets symbol`: what a symbol stands for, in every notation, and why for none."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from trade_assets.market.symbols import SymbolNotation
from trade_assets.settings import Settings, load_settings
from trade_assets_tests.cli.helpers import Outcome, Run

OPTION = {
    "instrument_id": "VY3N25-C110.75",
    "kind": "option",
    "product": "ZN",
    "expiry": "2025-07-21",
    "strike_price": "110.75",
    "put_call": "C",
    "underlying_id": "ZNU25",
    "actant_risk": "XCME.VY3.21JUL25.110:75.C",
    "actant_trades": "XCMEOCADPS20250721N0VY3/110.75",
    "actant_time": "XCME.ZN.N.G.21JUL25",
    "bloomberg": "VBYN25C3 110.750 Comdty",
    "cme": "VY3N5 C110.75",
}
FUTURE = {
    "instrument_id": "ZNU25",
    "kind": "future",
    "product": "ZN",
    "expiry": "2025-09-19",
    "underlying_id": "ZNU25",
    "actant_risk": "XCME.ZN.SEP25",
    "actant_trades": "XCMEFFDPSX20250919U0ZN",
    "bloomberg": "TYU5 Comdty",
    "cme": "ZNU5",
    "tt_alias": "ZN Sep25",
}
SERIES = {
    "instrument_id": "OZNQ25",
    "kind": "series",
    "product": "ZN",
    "expiry": "2025-07-25",
    "underlying_id": "ZNU25",
    "actant_risk": "XCME.OZN.AUG25",
    "actant_time": "XCME.ZN.N.G.AUG25",
    "cme": "OZNQ5",
}
UNDERLYING = {
    "instrument_id": "ZN",
    "kind": "underlying",
    "product": "ZN",
    "underlying_id": "ZN",
    "actant_risk": "XCME.ZN",
    "bloomberg": "TY",
    "cme": "ZN",
}
AS_OF = ("--as-of", "2025-07-17")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose parts nobody starts: a symbol is translated without any."""
    return load_settings(home=tmp_path)


def meanings(outcome: Outcome) -> list[dict[str, str]]:
    assert (outcome.code, outcome.err) == (0, "")
    found: list[dict[str, str]] = orjson.loads(outcome.out)
    return found


def notations(facts: dict[str, str]) -> list[str]:
    return [name for name in facts if name in {*SymbolNotation}]


EVERY_SYMBOL = [
    (facts[name], name, facts)
    for facts in (OPTION, FUTURE, SERIES, UNDERLYING)
    for name in notations(facts)
    if (facts["kind"], name) != ("option", "actant_time")  # that of its series
]


@pytest.mark.parametrize(("text", "notation", "facts"), EVERY_SYMBOL)
def test_a_symbol_of_any_notation_is_shown_in_all(
    run: Run, text: str, notation: str, facts: dict[str, str]
) -> None:
    for named in ((), ("--notation", notation)):
        (found,) = meanings(run("symbol", text, *named, *AS_OF, "--json"))
        assert list(found.items()) == list(facts.items())


@pytest.mark.parametrize("facts", [OPTION, FUTURE, SERIES, UNDERLYING])
def test_a_canonical_id_is_read_too(run: Run, facts: dict[str, str]) -> None:
    assert meanings(run("symbol", facts["instrument_id"], *AS_OF, "--json")) == [facts]


def test_an_alias_of_tt_is_read_too(run: Run) -> None:
    assert meanings(run("symbol", "ZN Sep25", "--json")) == [FUTURE]


def test_a_time_to_expiry_is_that_of_the_series_of_a_day(run: Run) -> None:
    (found,) = meanings(run("symbol", "XCME.ZN.N.G.21JUL25", "--json"))
    assert (found["instrument_id"], found["kind"]) == ("VY3N25", "series")
    # Memorial Day moves the Monday's options to the Tuesday, and leaves them their name.
    (moved,) = meanings(run("symbol", "XCME.VY4.26MAY25.110:75.C", "--json"))
    assert (moved["cme"], moved["expiry"]) == ("VY4K5 C110.75", "2025-05-27")
    assert moved["actant_time"] == "XCME.ZN.N.G.26MAY25"
    for day, series in {"26MAY25": "VY4K25", "27MAY25": "GY4K25"}.items():
        (named,) = meanings(run("symbol", f"XCME.ZN.N.G.{day}", "--json"))
        assert named["instrument_id"] == series


def test_a_short_strike_of_bloomberg(run: Run) -> None:
    (found,) = meanings(run("symbol", "TJWQ25P4 111.25 Comdty", "--json"))
    assert (found["instrument_id"], found["bloomberg"]) == (
        "HY4Q25-P111.25",
        "TJWQ25P4 111.250 Comdty",
    )


@pytest.mark.parametrize("facts", [OPTION, FUTURE, SERIES, UNDERLYING])
def test_the_table_has_a_line_a_fact(run: Run, facts: dict[str, str]) -> None:
    outcome = run("symbol", facts["actant_risk"])
    assert (outcome.code, outcome.err) == (0, "")
    lines = [line for line in outcome.out.splitlines() if line]
    assert [line.split(maxsplit=1) for line in lines] == [[*item] for item in facts.items()]
    assert [line[15:] for line in lines] == list(facts.values())


@pytest.mark.parametrize(
    ("text", "as_of", "instrument_id"),
    [
        ("ZNU5", "2025-07-17", "ZNU25"),
        ("ZNU5", "2029-12-31", "ZNU25"),
        ("ZNU5", "2030-01-01", "ZNU35"),  # of two equally near, the later
        ("ZNU5", "2021-06-30", "ZNU25"),
        ("ZNU5", "2016-01-01", "ZNU15"),
        ("TYU9 Comdty", "2025-07-17", "ZNU29"),
        ("TYU9 Comdty", "2022-07-17", "ZNU19"),
        ("3MN5C 112.250 Comdty", "2014-07-17", "ZN3N15-C112.25"),
        ("VY3N5 C110.75", "2034-07-17", "VY3N35-C110.75"),
    ],
)
def test_a_year_of_one_digit_is_the_one_nearest_to_the_day(
    run: Run, text: str, as_of: str, instrument_id: str
) -> None:
    (found,) = meanings(run("symbol", text, "--as-of", as_of, "--json"))
    assert found["instrument_id"] == instrument_id


def test_without_a_day_it_is_today(run: Run) -> None:
    before = datetime.now(UTC)
    (found,) = meanings(run("symbol", f"ZNU{before.year % 10}", "--json"))
    assert found["instrument_id"] == f"ZNU{before.year % 100}"


def test_an_unknown_symbol_says_why_in_every_notation(run: Run) -> None:
    outcome = run("symbol", "XCME.VY3.22JUL25.110:75.C")
    assert (outcome.code, outcome.out) == (1, "")
    first, *reasons = outcome.err.splitlines()
    assert first == "'XCME.VY3.22JUL25.110:75.C' is no instrument id"
    assert [reason.split()[0] for reason in reasons] == [*SymbolNotation]
    assert all("'XCME.VY3.22JUL25.110:75.C'" in reason for reason in reasons)
    assert reasons[0].endswith(
        "no VY3 expires on 2025-07-22 (VY3N25 does on 2025-07-21)",
    )
    assert all("has not the form" in reason for reason in reasons[1:])


def test_an_unknown_symbol_is_an_empty_array(run: Run) -> None:
    outcome = run("symbol", "nothing", "--json")
    assert (outcome.code, orjson.loads(outcome.out)) == (1, [])
    assert len(outcome.err.splitlines()) == 1 + len(SymbolNotation)


def test_one_notation_gives_one_reason(run: Run) -> None:
    outcome = run("symbol", "XCME.ZN.SEP25", "--notation", "cme")
    assert (outcome.code, outcome.out) == (1, "")
    (reason,) = outcome.err.splitlines()
    assert reason == "cme symbol 'XCME.ZN.SEP25': it has not the form of such a symbol"


@pytest.mark.parametrize("text", ["", " ", "\x1b[31mZNU5", "[red]", "é", "X" * 5000, "ZNU5\n"])
def test_any_text_is_translated_or_refused(run: Run, text: str) -> None:
    outcome = run("symbol", text, *AS_OF)
    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.err.splitlines()) == 1 + len(SymbolNotation)
    assert "\x1b" not in outcome.err
    assert all(len(line) < 300 for line in outcome.err.splitlines())


@pytest.mark.parametrize("as_of", ["0001-01-01", "9999-12-31"])
def test_days_far_away_are_refused_in_words(run: Run, as_of: str) -> None:
    outcome = run("symbol", "ZNU5", "--notation", "cme", "--as-of", as_of)
    assert outcome.code == 1
    (reason,) = outcome.err.splitlines()
    assert "contracts are known from 2000 to 2099" in reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("ZNU5", "--notation", "CME"),
            "no notation 'CME'; there are actant_risk, actant_trades, actant_time, bloomberg, cme",
        ),
        (("ZNU5", "--as-of", "soon"), "--as-of 'soon' is no ISO date, such as 2025-07-17"),
        (("ZNU5", "--as-of", "2025-02-30"), "'2025-02-30' is no ISO date"),
        ((), "Missing argument 'SYMBOL'"),
        (("ZNU5", "TYU5"), "unexpected extra argument"),
    ],
)
def test_wrong_option_is_named(run: Run, options: tuple[str, ...], words: str) -> None:
    outcome = run("symbol", *options)
    assert (outcome.code, outcome.out) == (2, "")
    # The box around the message wraps it.
    assert words in " ".join(outcome.err.replace("│", " ").split())


def test_help_has_examples_that_work(run: Run) -> None:
    text = run("symbol", "--help").out
    assert 'trade-assets symbol "VBYN25C3 110.75 Comdty" --json' in text
    assert "trade-assets symbol ZNU5 --notation cme --as-of 2025-07-17" in text
    assert meanings(run("symbol", "VBYN25C3 110.750 Comdty", "--json")) == [OPTION]
    assert run("symbol", "ZNU5", "--notation", "cme", "--as-of", "2025-07-17").code == 0
