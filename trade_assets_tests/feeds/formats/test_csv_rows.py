"""What all comma-separated feeds share: lines, headers, shapes, keys."""

import pytest

from trade_assets.datasets.records import MAX_REJECTED_TEXT
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.csv_rows import MAX_LINE_CHARACTERS, read_rows
from trade_assets.feeds.formats.spot_risk import parse_spot_risk

NAME = "bav_analysis_20250717_143331.csv"
HEADER = b"Key,BID,ASK,STRIKE,ITYPE\n"


def outcome(body: bytes) -> tuple[list[tuple[int, str]], dict[int, str]]:
    """Rows and keys that are stored, rows and reasons of the others."""
    parsed = parse_spot_risk(HEADER + body, NAME)
    return (
        parsed.frame.select("row", "record_key").rows(),
        {item.row: item.reason for item in parsed.rejected},
    )


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n \n", b"\xef\xbb\xbf"])
def test_empty_file(data: bytes) -> None:
    with pytest.raises(UnparsableFileError, match="empty"):
        parse_spot_risk(data, NAME)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"Key,BID,ASK,STRIKE,ITYPE,BID", "column 'BID' twice"),
        (b"Key,BID,ASK,STRIKE,ITYPE,X,X", "column 'X' twice"),
        (b"Key,BID,,ASK,STRIKE,ITYPE", "column 3 of the header has no name"),
        (b"Key,BID,ASK,STRIKE,ITYPE,\xff", "not a line of plain text"),
        (b"Key,BID,ASK,STRIKE,ITYPE,a\x00b", "not a line of plain text"),
        (b"Key;BID;ASK;STRIKE;ITYPE", "no column 'Key'"),
        ("Key,BID,ASK,STRIKE,ITYPE".encode("utf-16"), "no column 'Key'"),
    ],
)
def test_unusable_headers_are_named(header: bytes, message: str) -> None:
    with pytest.raises(UnparsableFileError, match=message):
        parse_spot_risk(header + b"\nK,1,2,3,F\n", NAME)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"Key,BID,ASK,STRIKE", "no column 'ITYPE'"),
        (b"Key,BID,ASK,Strike,ITYPE", "no column 'STRIKE' (nearest: 'Strike')"),
        (
            b"Key,BID_PX,ASK,STRIKE,INSTYPE,IVBID",
            "no column 'BID' (nearest: 'IVBID') and no 'ITYPE' (nearest: 'INSTYPE')",
        ),
        (b"Key,BID,ASK,STRIKE," + b"itype" * 20, "no column 'ITYPE'"),
    ],
)
def test_a_header_of_another_file_is_compared_with_the_feeds(header: bytes, message: str) -> None:
    with pytest.raises(UnparsableFileError) as caught:
        parse_spot_risk(header + b"\n", NAME)
    assert caught.value.reason == f"the header has {message}"


def test_header_may_end_in_commas_and_begin_with_a_byte_order_mark() -> None:
    parsed = parse_spot_risk(b"\xef\xbb\xbfKey,BID,ASK,STRIKE,ITYPE,,\nK,1,2,3,F,,\n", NAME)
    assert (parsed.frame["record_key"].to_list(), parsed.rejected) == (["K"], ())


def test_line_numbers_are_those_of_the_file() -> None:
    stored, rejected = outcome(b"\nA,1,2,3,F\r\n  \nB,1\n\nC,1,2,3,F")
    assert stored == [(3, "A"), (7, "C")]
    assert rejected == {5: "has 2 fields where the header has 5"}


def test_last_line_needs_no_line_end() -> None:
    assert outcome(b"A,1,2,3,F")[0] == outcome(b"A,1,2,3,F\n")[0] == [(2, "A")]


def test_surplus_fields_are_tolerated_if_empty() -> None:
    stored, rejected = outcome(b"A,1,2,3,F,\nB,1,2,3,F,,,\nC,1,2,3,F,9\nD,1,2,3,F,,9\n")
    assert stored == [(2, "A"), (3, "B")]
    assert rejected == {
        4: "has 6 fields where the header has 5",
        5: "has 7 fields where the header has 5",
    }


def test_quotes_have_no_meaning() -> None:
    stored, rejected = outcome(b'"A,1,2,3,F\nB",1,2,3,F\n"C,D",1,2,3,F\n')
    assert stored == [(2, '"A'), (3, 'B"')]
    assert list(rejected) == [4]


def test_bytes_that_are_not_text_are_rejected() -> None:
    stored, rejected = outcome(b"A\xff,1,2,3,F\nB\x00,1,2,3,F\nC,1\r,2,3,F\nD,1,2,3,F\n")
    assert stored == [(5, "D")]
    assert rejected == {
        2: "is not UTF-8",
        3: "has a control character",
        4: "has a control character",
    }


@pytest.mark.parametrize("byte", [b"\r", b"\t", b"\x00", b"\x1f", b"\x7f", b"\xc2\x85", b"\xff"])
def test_one_such_byte_is_enough(byte: bytes) -> None:
    assert outcome(b"A,1,2,3,F\r\nB" + byte + b"B,1,2,3,F\r\n") == (
        [(2, "A")],
        {3: "is not UTF-8" if byte == b"\xff" else "has a control character"},
    )


def test_other_languages_are_text() -> None:
    assert outcome("Zürich,1,2,3,F\n".encode())[0] == [(2, "Zürich")]


def test_record_keys_have_a_length() -> None:
    long, longest = b"k" * 513, b"k" * 512
    stored, rejected = outcome(b",1,2,3,F\n" + long + b",1,2,3,F\n" + longest + b",1,2,3,F\n")
    assert stored == [(4, longest.decode())]
    assert rejected == {2: "has no record key", 3: "has a record key of more than 512 bytes"}


@pytest.mark.parametrize("blanks", [" ", "   ", "\u00a0", "\u2003 "])
def test_blanks_are_no_record_key(blanks: str) -> None:
    stored, rejected = outcome(f"{blanks},1,2,3,F\n A,1,2,3,F\n".encode())
    assert (stored, rejected) == ([(3, " A")], {2: "has no record key"})


def test_record_keys_are_measured_in_bytes() -> None:
    assert list(outcome("ü".encode() * 257 + b",1,2,3,F\n")[1]) == [2]


def test_endless_lines_are_rejected_and_shown_in_part() -> None:
    line = b"A" * (MAX_LINE_CHARACTERS + 1)
    parsed = parse_spot_risk(HEADER + line + b"\nB,1,2,3,F\n", NAME)
    (rejected,) = parsed.rejected
    assert rejected.reason == f"is longer than {MAX_LINE_CHARACTERS} characters"
    assert rejected.text == "A" * MAX_REJECTED_TEXT
    assert parsed.frame["record_key"].to_list() == ["B"]


def test_first_reason_stands() -> None:
    rows = read_rows(HEADER + b"A,1,2,3,F\n", NAME, required=())
    rows.reject_at([(0, "first")])
    rows.reject_at([(0, "second")])
    assert rows.problems == {2: "first"}
