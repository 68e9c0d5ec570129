"""The uploader and the journal: which content is sent, under which key, after whatever failure."""

import hashlib
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from trade_assets.agent import journal as journals
from trade_assets.agent.folder_files import Stamp
from trade_assets.agent.journal import Journal, Pending
from trade_assets.agent.uploader import KEY_KEPT, Upload, Uploader
from trade_assets.errors import PermanentError, TransientError
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import ObjectStore

pytestmark = pytest.mark.integration

NAME = "trades_20250717.csv"
START = datetime(2025, 7, 17, 14, 30, tzinfo=UTC)
STAMP = Stamp(1, 2, 3, 4)


def md5(data: bytes) -> str:
    """As S3 writes an ETag."""
    return hashlib.md5(data).hexdigest()


class CrashError(PermanentError):
    """The process ends here."""


class CountingStore(ObjectStore):
    """The real bucket, which counts puts and can crash the caller before or after one."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.puts: list[str] = []
        self.crash = ""

    def put(self, key: str, data: bytes, content_encoding: str | None = None) -> str:
        if self.crash == "before":
            raise CrashError
        etag = super().put(key, data, content_encoding)
        self.puts.append(etag)
        if self.crash == "after":
            raise CrashError
        return etag


class Bench:
    """An uploader with its parts within reach, and a clock that stands."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self.store = CountingStore(settings)
        self.journal = Journal(path)
        self.now = START
        self.stop = threading.Event()

    def upload(self, data: bytes, name: str = NAME) -> Upload | None:
        uploader = Uploader(self.store, self.journal, self.stop, 5.0, lambda: self.now)
        return uploader.upload(name, data, STAMP)

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.journal.path)

    def close(self) -> None:
        self.journal.close()
        self.store.close()


@pytest.fixture
def bench(provisioned: Settings, tmp_path: Path) -> Bench:
    """Closed by the interpreter: a database in a temporary folder."""
    return Bench(provisioned, tmp_path / "push" / "journal.sqlite")


def begun(bench: Bench, data: bytes, minutes_ago: float = 1.0) -> str:
    """Leave an `uploading` row as a crash does; returns its key."""
    key = f"feeds/tt/fills/dt=2025-07-17/hh=13/{NAME}"
    since = START - timedelta(minutes=minutes_ago)
    bench.journal.begin(NAME, Pending(md5(data), key, since.timestamp()))
    bench.restart()
    return key


def test_an_upload_whose_answer_was_lost_is_found_on_s3_and_not_repeated(bench: Bench) -> None:
    key = begun(bench, b"A")
    ObjectStore.put(bench.store, key, b"A")
    upload = bench.upload(b"A")
    assert upload is not None
    assert (upload.key, upload.etag, bench.store.puts) == (key, md5(b"A"), [])
    assert bench.upload(b"A") is None
    bench.close()


def test_an_upload_that_never_arrived_is_sent_under_the_same_key(bench: Bench) -> None:
    key = begun(bench, b"A")
    upload = bench.upload(b"A")
    assert upload is not None
    assert (upload.key, bench.store.puts) == (key, [md5(b"A")])
    bench.close()


def test_an_upload_that_never_arrived_is_sent_under_a_new_key_if_it_is_old(bench: Bench) -> None:
    old = begun(bench, b"A", minutes_ago=KEY_KEPT.total_seconds() / 60 + 1)
    upload = bench.upload(b"A")
    assert upload is not None
    assert upload.key == f"feeds/tt/fills/dt=2025-07-17/hh=14/{NAME}"
    assert bench.store.head(old) is None
    bench.close()


def test_a_large_file_whose_etag_is_no_md5_is_recognised_by_its_bytes(bench: Bench) -> None:
    data = b"0123456789abcdef" * 400_000  # sent in parts
    key = begun(bench, data)
    etag = ObjectStore.put(bench.store, key, data)
    assert etag != md5(data)
    upload = bench.upload(data)
    assert upload is not None
    assert (upload.etag, bench.store.puts) == (etag, [])
    bench.close()


def test_unchanged_content_is_not_sent_again_in_another_hour(bench: Bench) -> None:
    assert bench.upload(b"A") is not None
    bench.now += timedelta(hours=5)
    assert bench.upload(b"A") is None
    assert bench.upload(b"B") is not None
    assert len(bench.store.puts) == 2
    bench.close()


steps = st.lists(
    st.tuples(st.sampled_from([b"A", b"B", b"C"]), st.sampled_from(["", "", "before", "after"])),
    min_size=1,
    max_size=9,
)


@given(history=steps, hours=st.booleans())
@hypothesis_settings(max_examples=30)
def test_any_history_of_contents_and_crashes_sends_each_version_once(
    module_settings: Settings, history: list[tuple[bytes, str]], *, hours: bool
) -> None:
    """A version counts when S3 has it; the newest on S3 is what the file says at the end."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(module_settings, Path(folder) / "journal.sqlite")
        name = f"trades_{abs(hash(folder)) % 10**8:08}.csv"
        on_s3: list[str] = []
        for content, crash in [*history, (history[-1][0], "")]:
            bench.store.crash = crash
            landed = len(bench.store.puts)
            try:
                bench.upload(content, name)
            except CrashError:
                bench.restart()
            if crash != "before" and on_s3[-1:] != [md5(content)]:
                on_s3.append(md5(content))
            assert len(bench.store.puts) - landed <= 1
            bench.now += timedelta(hours=1 if hours else 0)
        assert bench.store.puts == on_s3
        bench.close()


def test_waiting_for_the_network_ends_with_stop(settings: Settings, tmp_path: Path) -> None:
    away = settings.changed({"aws_endpoint_url": "http://127.0.0.1:1"})
    bench = Bench(away, tmp_path / "journal.sqlite")
    bench.stop.set()
    with pytest.raises(TransientError):
        bench.upload(b"A")
    bench.close()


def test_a_refusal_is_not_retried(settings: Settings, tmp_path: Path) -> None:
    bench = Bench(settings, tmp_path / "journal.sqlite")
    bench.store.crash = "before"
    with pytest.raises(CrashError):
        bench.upload(b"A")
    with pytest.raises(PermanentError, match="no feed"):
        bench.upload(b"A", "notes.txt")
    bench.close()


def test_rows_of_vanished_files_go_after_a_while_and_beyond_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for number in range(10):
        pending = Pending("m", "k", 0.0)
        journal.begin(f"f{number}", pending)
        journal.finish(f"f{number}", pending, "e", STAMP)
    day = 86_400.0
    journal.vanished(["f0", "f1"], now=0.0)
    journal.vanished(["f2", "f3", "f4"], now=3 * day)
    assert journal.stamps() == {f"f{number}": STAMP for number in range(5, 10)}
    journal.prune(now=4 * day)
    known = [number for number in range(10) if journal.recall(f"f{number}").md5]
    assert known == [2, 3, 4, 5, 6, 7, 8, 9]
    monkeypatch.setattr(journals, "KEPT_AFTER_VANISHING_ROWS", 1)
    journal.prune(now=4 * day)
    assert sum(1 for number in range(10) if journal.recall(f"f{number}").md5) == 6
    journal.settle("f5", STAMP)
    journal.begin("f5", Pending("n", "k", 0.0))
    assert journal.stamps()["f5"] is None  # to be looked at again
    journal.close()
