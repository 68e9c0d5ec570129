"""Documents: exact bytes there and back, and nothing but one kind of error on rubbish."""

import gzip
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trade_assets.errors import UnparsableFileError
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats import document as module
from trade_assets.tt.formats.document import read_document, write_document
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.formats.snapshot import AnswerInfo, Manifest, SnapshotDocument
from trade_assets_tests.tt.formats.documents import ORDER, of_bodies, of_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
SPACES = st.text(" \t\r\n", max_size=3).map(str.encode)
BODIES = st.builds(lambda left, value, right: left + orjson.dumps(value) + right,
                   SPACES, VALUES, SPACES)  # fmt: skip
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))


@st.composite
def documents(draw: st.DrawFn) -> SnapshotDocument:
    bodies = tuple(draw(st.lists(BODIES, max_size=4)))
    queries = st.dictionaries(TEXTS, TEXTS, max_size=2)
    answers = tuple(
        AnswerInfo(draw(TEXTS), draw(queries), draw(TIMES), len(body)) for body in bodies
    )
    manifest = Manifest(
        environment=draw(TEXTS),
        kind=draw(st.sampled_from(sorted(SNAPSHOTS_BY_KIND))),
        slot=datetime(2025, 1, 1, tzinfo=UTC) + SLOT * draw(st.integers(0, 10**6)),
        answers=answers,
        since_ns=draw(st.none() | st.integers(0, 2**63)),
        seen=tuple(draw(st.lists(TEXTS, max_size=3))),
        truncated_at=tuple(draw(st.lists(st.integers(0, 2**63), max_size=2))),
        notes=tuple(draw(st.lists(TEXTS, max_size=2))),
    )
    return SnapshotDocument(manifest, bodies)


@given(documents())
def test_what_was_written_is_read_and_every_body_is_the_same_bytes(
    document: SnapshotDocument,
) -> None:
    data = write_document(document)
    assert read_document(data, "x") == document
    assert read_document(gzip.decompress(data), "x") == document
    assert write_document(document) == data


def test_a_document_is_one_json_document_with_the_answers_in_it() -> None:
    root = orjson.loads(gzip.decompress(write_document(of_rows("orders", [ORDER], []))))
    assert list(root) == ["manifest", "answers"]
    assert root["answers"][0]["orders"] == [ORDER]
    assert root["manifest"]["slot"] == "2025-05-15T17:02:30Z"


@pytest.mark.parametrize(
    "bodies",
    [
        [b""],
        [b"<html>"],
        [b'{"orders": ['],
        [b"1,2"],
        [b"1],[2"],
        [b"[1", b"2]"],
        [b'{"a":[1', b'2]},{"b":3}'],
        [b"\xff"],
        [b"\xef\xbb\xbf{}"],
        [b"NaN"],
        [b"{} {}"],
    ],
)
def test_a_body_that_is_no_json_gets_into_no_document(bodies: list[bytes]) -> None:
    with pytest.raises(UnparsableFileError, match="answer 1 is not"):
        write_document(of_bodies("orders", *bodies))


@pytest.mark.parametrize("depth", [1000, 1020, 1022, 1023, 1024, 5000])
def test_what_is_written_can_be_read_however_deep(depth: int) -> None:
    document = of_bodies("orders", b"[" * depth + b"]" * depth)
    try:
        data = write_document(document)
    except UnparsableFileError:
        assert depth > 1020
    else:
        assert read_document(data, "x") == document


def test_a_manifest_that_does_not_describe_the_document_is_refused() -> None:
    document = of_rows("orders", [])
    for wrong in (
        {"answers": ()},
        {"answers": (replace(document.manifest.answers[0], size=1),)},
        {"slot": document.manifest.slot + timedelta(seconds=1)},
        {"slot": document.manifest.slot.replace(tzinfo=None)},
        {"slot": document.manifest.slot.astimezone(timezone(timedelta(hours=2)))},
    ):
        with pytest.raises(ValueError, match=r"orders/"):
            write_document(replace(document, manifest=replace(document.manifest, **wrong)))


@given(st.binary(max_size=200))
def test_rubbish_is_no_document(data: bytes) -> None:
    with pytest.raises(UnparsableFileError):
        read_document(data, "x")


@given(VALUES)
def test_other_json_is_no_document(value: object) -> None:
    for data in (orjson.dumps(value), gzip.compress(orjson.dumps(value))):
        with pytest.raises(UnparsableFileError):
            read_document(data, "x")


@given(documents(), st.sampled_from(["environment", "kind", "slot", "answers", "since_ns", "seen"]),
       VALUES)  # fmt: skip
def test_a_manifest_with_anything_in_it_is_read_or_refused(
    document: SnapshotDocument, name: str, value: object
) -> None:
    root = orjson.loads(gzip.decompress(write_document(document)))
    root["manifest"][name] = value
    try:
        found = read_document(orjson.dumps(root), "x")
    except UnparsableFileError:
        return
    assert len(found.bodies) == len(document.bodies)


@given(documents(), st.floats(0, 1), st.binary(max_size=3), st.integers(0, 3), st.booleans())
def test_a_damaged_document_is_read_or_refused(
    document: SnapshotDocument, place: float, inserted: bytes, removed: int, packed: bool
) -> None:
    data = write_document(document)
    data = data if packed else gzip.decompress(data)
    at = int(place * len(data))
    damaged = data[:at] + inserted + data[at + removed :]
    assume(damaged != data)
    try:
        found = read_document(damaged, "x")
    except UnparsableFileError:
        return
    for snapshot in SNAPSHOTS_BY_KIND.values():
        try:
            snapshot.read(found, {})
        except UnparsableFileError:
            continue


@given(VALUES, st.sampled_from(sorted(SNAPSHOTS_BY_KIND)))
def test_rows_of_anything_are_accounted_for(value: object, kind: str) -> None:
    rows = value if isinstance(value, list) else [value]
    parsed = SNAPSHOTS_BY_KIND[kind].read(of_rows(kind, rows, [value]), {})
    assert parsed.rows_in == len(rows) + 1
    numbers = [*parsed.frame["row"], *(row.row for row in parsed.rejected)]
    assert sorted(numbers) == list(range(1, len(rows) + 2))


def test_sizes_that_do_not_fit_the_answers() -> None:
    document = of_bodies("orders", b'{"orders":[]}', b'{"orders":[],"a":1}')
    text = gzip.decompress(write_document(document))
    swapped = text.replace(b'"size":13', b'"size":99').replace(b'"size":19', b'"size":13')
    for wrong in (
        swapped.replace(b'"size":99', b'"size":19'),
        text.replace(b'"size":13', b'"size":14'),
        text.replace(b'"size":13', b'"size":0'),
        text.replace(b'"size":19', b'"size":999999'),
        text.replace(b'"size":19', b'"size":-1'),
    ):
        assert wrong != text
        with pytest.raises(UnparsableFileError, match="have not the sizes"):
            read_document(wrong, "x")


def test_packed_bytes_that_end_too_early_or_too_late() -> None:
    data = write_document(of_rows("orders", [ORDER]))
    for wrong in (data[:-1], data[:20], data + b"x", data + data, data[:2], data[:-4] + b"abcd"):
        with pytest.raises(UnparsableFileError):
            read_document(wrong, "x")


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 5_000_000)
    with pytest.raises(UnparsableFileError, match="larger than 1000000 bytes"):
        read_document(bomb, "x")


def test_a_document_of_just_the_largest_size_is(monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_document(of_rows("orders", [ORDER]))
    monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", len(zlib.decompress(data, wbits=31)))
    assert len(read_document(data, "x").bodies) == 1
    monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", len(zlib.decompress(data, wbits=31)) - 1)
    with pytest.raises(UnparsableFileError):
        read_document(data, "x")
