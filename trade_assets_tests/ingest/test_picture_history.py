"""Pictures in the history: changes only, and whoever reads must not notice."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.pictures import Picture, pictures_of
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY
from trade_assets.ingest.picture_history import FileRows, PictureHistory
from trade_assets_tests.stores.samples import HOUR, SPOT, records, spot_key

START = HOUR.replace(minute=33)
Said = Mapping[str, float]
"""A file: the bid of every contract."""


def file_records(seconds: int, said: Said, landed: int = 0, part: int = 0) -> pl.DataFrame:
    """The records of a file of so many seconds behind the first, landed in such an hour; of a part
    of the moment's picture where it is not 0."""
    file_key = spot_key(seconds, HOUR + timedelta(hours=landed))
    if part:
        file_key = file_key.replace(".csv", f"_chunk_0{part}_of_03.csv")
    return records(
        SPOT,
        (
            {
                RECORD_KEY: key, EVENT_TIME: START + timedelta(seconds=seconds),
                FILE_KEY: file_key, "bid_price": bid,
            }
            for key, bid in said.items()
        ),
    )  # fmt: skip


class Bucket:
    """The files as they are."""

    def __init__(self) -> None:
        self.files: dict[str, pl.DataFrame] = {}

    def put(self, frame: pl.DataFrame) -> pl.DataFrame:
        self.files[frame[FILE_KEY][0]] = frame
        return frame

    def read(self, key: str) -> FileRows | None:
        return FileRows(self.files[key], f"etag of {key}") if key in self.files else None


class Table:
    """A history table of pictures in memory; before each call `meanwhile` is called."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, datetime, str], tuple[float, str]] = {}
        self.pictures: dict[Picture, Picture] = {}
        self.meanwhile: Callable[[], None] = lambda: None

    def put(self, _: Dataset, frame: pl.DataFrame) -> int:
        self.meanwhile()
        for key, time, file_key, bid in _rows(frame):
            self.rows[key, time, file_key.rpartition("/")[2]] = bid, file_key
        return frame.height

    def take_out(self, _: Dataset, frame: pl.DataFrame) -> None:
        self.meanwhile()
        for key, time, file_key, _bid in _rows(frame):
            place = key, time, file_key.rpartition("/")[2]
            if self.rows.get(place, (0.0, ""))[1] == file_key:
                del self.rows[place]

    def expiry(self, _: Dataset) -> pl.Expr | None:
        return None

    def around(self, _: Dataset, first: datetime, last: datetime) -> list[Picture]:
        self.meanwhile()
        hour = first.replace(minute=0, second=0)
        line = [picture for picture in self.pictures if picture.hour == hour]
        moments = [picture.event_time for picture in line]
        begin = max((moment for moment in moments if moment < first), default=first)
        end = min((moment for moment in moments if moment > last), default=last)
        return [picture for picture in line if begin <= picture.event_time <= end]

    def note(self, _: Dataset, pictures: Iterable[Picture]) -> None:
        self.meanwhile()
        for picture in pictures:
            self.pictures.pop(picture, None)
            self.pictures[picture] = picture

    def as_of(self, key: str, moment: datetime) -> float | None:
        """The bid of a contract at a moment."""
        known = [(at, name, bid) for (k, at, name), (bid, _) in self.rows.items() if k == key]
        return max((item for item in known if item[0] <= moment), default=(None, "", None))[2]


def _rows(frame: pl.DataFrame) -> Iterable[tuple[str, datetime, str, float]]:
    return frame.select(RECORD_KEY, EVENT_TIME, FILE_KEY, "bid_price").iter_rows()


class Desk:
    """A bucket, a table, and writers of both."""

    def __init__(self) -> None:
        self.bucket, self.table = Bucket(), Table()
        self.recounted: dict[str, tuple[int, int]] = {}

    def writer(self) -> PictureHistory:
        def recount(key: str, _etag: str, stored: int, unchanged: int) -> None:
            self.recounted[key] = stored, unchanged

        return PictureHistory(self.table, self.table, self.bucket.read, recount)

    def check(self) -> None:
        """Whoever asks for any contract at any moment is told what all the files say."""
        truth: dict[str, list[tuple[datetime, str, float]]] = {}
        for frame in self.bucket.files.values():
            for key, time, file_key, bid in _rows(frame):
                truth.setdefault(key, []).append((time, file_key.rpartition("/")[2], bid))
        for key, said in truth.items():
            for moment in {time for time, _, _ in said}:
                expected = max(item for item in said if item[0] <= moment)[2]
                assert self.table.as_of(key, moment) == expected, (key, moment)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_says_nothing_new_is_not_written(desk: Desk) -> None:
    writer = desk.writer()
    first = desk.bucket.put(file_records(0, {"ZN": 110.5, "ZF": 108.0}))
    second = desk.bucket.put(file_records(1, {"ZN": 110.75, "ZF": 108.0}))
    assert writer.write(SPOT, first).puts == 2
    written = writer.write(SPOT, second)
    assert (written.rows, written.puts, written.unchanged) == (2, 1, {spot_key(1): 1})
    assert len(desk.table.rows) == 3
    desk.check()


def test_files_that_come_together_refer_to_each_other(desk: Desk) -> None:
    frames = [desk.bucket.put(file_records(s, {"ZN": 110.5, "ZF": 108.0 + s})) for s in range(4)]
    written = desk.writer().write(SPOT, pl.concat(frames))
    assert written.puts == 5
    assert written.unchanged == {spot_key(s): 1 for s in range(1, 4)}
    desk.check()


def test_a_row_that_comes_and_goes_is_written_when_it_is_back(desk: Desk) -> None:
    said: list[Said] = [{"ZN": 110.5, "ZF": 108.0}, {"ZF": 108.0}, {"ZN": 110.5, "ZF": 108.0}]
    for seconds, file in enumerate(said):
        desk.writer().write(SPOT, desk.bucket.put(file_records(seconds, file)))
    assert sorted(key for key, _, _ in desk.table.rows) == ["ZF", "ZN", "ZN"]
    desk.check()


def test_the_first_picture_of_an_hour_is_held_whole(desk: Desk) -> None:
    before_the_hour, behind = 26 * 60 + 59, 27 * 60
    for seconds in (before_the_hour, behind):
        frame = desk.bucket.put(file_records(seconds, {"ZN": 110.5}))
        assert desk.writer().write(SPOT, frame).puts == 1


def test_no_picture_refers_to_one_that_landed_in_another_hour(desk: Desk) -> None:
    # Where records go some hours after their landing, those would go before.
    for seconds, landed in ((0, 0), (1, 1)):
        frame = desk.bucket.put(file_records(seconds, {"ZN": 110.5}, landed))
        assert desk.writer().write(SPOT, frame).puts == 1


def test_a_late_picture_makes_the_one_behind_it_say_what_it_left_out(desk: Desk) -> None:
    for seconds in (0, 2):
        frame = desk.bucket.put(file_records(seconds, {"ZN": 110.5, "ZF": 108.0}))
        desk.writer().write(SPOT, frame)
    late = desk.bucket.put(file_records(1, {"ZN": 110.75, "ZF": 108.0}))
    written = desk.writer().write(SPOT, late)
    assert written.puts == 2
    assert desk.recounted == {spot_key(2): (1, 1)}
    assert desk.table.as_of("ZN", START + timedelta(seconds=2)) == 110.5
    desk.check()


def test_a_rewritten_picture_is_held_whole_and_the_one_behind_it_follows(desk: Desk) -> None:
    for seconds in range(3):
        frame = desk.bucket.put(file_records(seconds, {"ZN": 110.5}))
        desk.writer().write(SPOT, frame)
    desk.writer().write(SPOT, desk.bucket.put(file_records(1, {"ZN": 111.0})))
    desk.check()
    desk.writer().write(SPOT, desk.bucket.put(file_records(1, {"ZN": 110.5})))
    desk.check()
    assert len(desk.table.rows) == 3


def test_a_rerun_leaves_what_is_needed_and_no_more(desk: Desk) -> None:
    for seconds, bid in ((0, 110.5), (2, 111.0), (1, 111.0)):
        desk.writer().write(SPOT, desk.bucket.put(file_records(seconds, {"ZN": bid})))
    # What came before the one before it was needed when it was written.
    assert len(desk.table.rows) == 3
    again = pl.concat(desk.bucket.files.values())
    desk.writer().write(SPOT, again, settle=True)
    desk.check()
    assert sorted(at for _, at, _ in desk.table.rows) == [START, START + timedelta(seconds=1)]


def test_parts_of_a_picture_refer_to_the_parts_of_the_one_before(desk: Desk) -> None:
    said = {1: {"A": 1.0}, 2: {"B": 2.0, "C": 3.0}, 3: {"D": 4.0}}
    for seconds in range(2):
        for part, bids in said.items():
            frame = desk.bucket.put(file_records(seconds, bids, part=part))
            written = desk.writer().write(SPOT, frame)
            assert written.puts == (len(bids) if seconds == 0 else 0)
    desk.check()


def test_a_row_that_moves_to_another_part_is_found_there(desk: Desk) -> None:
    said = [(0, 1, {"A": 1.0}), (0, 2, {"B": 2.0}), (1, 1, {"B": 2.0}), (1, 2, {"A": 1.5})]
    for seconds, part, bids in said:
        desk.writer().write(SPOT, desk.bucket.put(file_records(seconds, bids, part=part)))
    assert [key for key, _, _ in desk.table.rows] == ["A", "B", "A"]
    desk.check()


@pytest.mark.parametrize("call", range(4))
def test_who_comes_between_while_a_picture_is_written_is_seen(desk: Desk, call: int) -> None:
    first, between, last = (
        desk.bucket.put(file_records(seconds, {"ZN": bid, "ZF": float(seconds)}))
        for seconds, bid in enumerate((110.5, 111.0, 110.5))
    )
    desk.writer().write(SPOT, first)
    calls = count()

    def meanwhile() -> None:
        if next(calls) == call:
            desk.table.meanwhile = lambda: None
            desk.writer().write(SPOT, between)

    desk.table.meanwhile = meanwhile
    written = desk.writer().write(SPOT, last)
    desk.check()
    # What was put is not put again.
    assert written.puts <= 2


def test_a_name_that_lands_in_two_hours_is_written_for_each(desk: Desk) -> None:
    first, again = file_records(0, {"ZN": 110.5, "ZF": 1.0}), file_records(0, {"ZN": 111.0}, 1)
    written = desk.writer().write(SPOT, pl.concat([first, again]))
    assert written.puts == 3
    assert {(key, bid) for (key, _, _), (bid, _) in desk.table.rows.items()} == {
        ("ZN", 111.0), ("ZF", 1.0),
    }  # fmt: skip


def test_a_moment_without_a_key_does_not_hide_who_is_behind(desk: Desk) -> None:
    for seconds, bids in ((0, {"A": 1.0}), (2, {"A": 1.0}), (1, {"B": 1.0})):
        desk.writer().write(SPOT, desk.bucket.put(file_records(seconds, bids)))
    desk.writer().write(SPOT, desk.bucket.put(file_records(0, {"A": 2.0}, part=1)))
    desk.check()


def test_nothing_refers_to_a_picture_whose_file_is_gone(desk: Desk) -> None:
    desk.writer().write(SPOT, file_records(0, {"ZN": 110.5}))
    frame = desk.bucket.put(file_records(1, {"ZN": 110.5}))
    assert desk.writer().write(SPOT, frame).puts == 1


def test_two_pictures_of_the_same_words_have_one_digest() -> None:
    first, second = (
        pictures_of(file_records(seconds, {"ZN": 110.5}))[0].picture for seconds in (0, 1)
    )
    assert first.digest == second.digest
    assert first != second


_FILES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.dictionaries(st.sampled_from("ABC"), st.sampled_from([1.0, 2.0]), min_size=1),
        st.integers(0, 1),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=10,
)


@given(files=_FILES, together=st.integers(1, 3), settle=st.booleans())
def test_in_whatever_order_files_come_readers_are_told_the_same(
    files: list[tuple[int, Said, int, int]], together: int, settle: bool
) -> None:
    desk = Desk()
    frames = [desk.bucket.put(file_records(*file)) for file in _once_a_name(files)]
    for start in range(0, len(frames), together):
        desk.writer().write(SPOT, pl.concat(frames[start:][:together]))
    desk.check()
    desk.writer().write(SPOT, pl.concat(frames), settle=settle)
    desk.check()


@given(files=_FILES, at=st.integers(0, 9), settle=st.booleans())
@examples(max_examples=200)
def test_two_writers_at_once_lose_nothing(
    files: list[tuple[int, Said, int, int]], at: int, settle: bool
) -> None:
    """One writes all it has before any one call of the other; some files were there before."""
    desk = Desk()
    frames = [desk.bucket.put(file_records(*file)) for file in _once_a_name(files)]
    there, mine, others = frames[::3], frames[1::3], frames[2::3]
    assume(others)
    desk.writer().write(SPOT, pl.concat(there))
    waiting = iter([desk.writer()])
    calls = count()

    def meanwhile() -> None:
        if next(calls) >= at:
            for writer in waiting:
                writer.write(SPOT, pl.concat(others))

    desk.table.meanwhile = meanwhile
    desk.writer().write(SPOT, pl.concat(mine), settle=settle)
    for writer in waiting:
        writer.write(SPOT, pl.concat(others))
    desk.check()


def _once_a_name(
    files: list[tuple[int, Said, int, int]],
) -> list[tuple[int, Said, int, int]]:
    """Files of which no two have the same name."""
    return list({(file[0], file[3]): file for file in files}.values())
