"""Who consumes, by Redis and by Dagster's books, whatever Redis does."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
import redis

from trade_assets.defs.feeds.book_beats import BookBeats, has_ended
from trade_assets.defs.feeds.stream_run import feed_stream
from trade_assets.defs.feeds.stream_supervisor import keep_stream
from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.stream import heartbeats
from trade_assets.feeds.stream.heartbeats import Heartbeats, StreamBeat, SureHeartbeats
from trade_assets.local.redis_server import start_redis
from trade_assets.ports import LOOPBACK
from trade_assets.settings import load_settings

pytestmark = pytest.mark.integration

STALE_SECONDS = 0.2
FAR = 4_000_000_000.0


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[redis.Redis]:
    """A Redis of this test's own."""
    with (
        start_redis(tmp_path / "redis", options={"appendonly": "no"}) as part,
        closing(redis.Redis(LOOPBACK, part.port, decode_responses=True)) as client,
    ):
        yield client


@pytest.fixture
def run_id(instance: dg.DagsterInstance) -> str:
    """A stream run that has begun, by the books."""
    run = instance.create_run_for_job(feed_stream)
    instance.report_engine_event("began", run)
    instance.handle_new_event(_begun(run.run_id))
    return run.run_id


def _begun(run_id: str) -> dg.EventLogEntry:
    event = dg.DagsterEvent(
        event_type_value="PIPELINE_START", job_name=feed_stream.name, message="began"
    )
    return dg.EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None, level=20, user_message="", run_id=run_id, timestamp=1.0,
        job_name=feed_stream.name, dagster_event=event,
    )  # fmt: skip


def beats(server: redis.Redis, instance: dg.DagsterInstance) -> SureHeartbeats:
    return SureHeartbeats(Heartbeats(server, STALE_SECONDS), BookBeats(instance))


def fill(server: redis.Redis) -> None:
    """Nothing is taken any more; reads are answered."""
    server.config_set("maxmemory-policy", "noeviction")
    server.config_set("maxmemory", 1)
    with pytest.raises(redis.OutOfMemoryError):
        server.set("any", "thing")


def expired(server: redis.Redis, run_id: str) -> None:
    """The run's last beat in Redis is stale."""
    server.delete(f"stream:run:{run_id}")


def test_a_run_whose_beats_a_full_redis_refuses_is_alive_by_the_books(
    server: redis.Redis, instance: dg.DagsterInstance, run_id: str
) -> None:
    beat = StreamBeat(run_id, FAR, 3)
    beats(server, instance).beat(beat)
    fill(server)
    expired(server, run_id)
    with pytest.raises(StoreUnavailableError):
        beats(server, instance).beat(beat)
    alive = beats(server, instance).alive()
    assert alive == [beat]
    decision = keep_stream(instance, load_settings(), alive)
    assert (decision.request, decision.dead) == (False, [])


def test_a_run_is_alive_by_the_books_while_redis_is_away(
    tmp_path: Path, instance: dg.DagsterInstance, run_id: str
) -> None:
    with start_redis(tmp_path / "redis", options={"appendonly": "no"}) as part:
        port = part.port
    with closing(redis.Redis(LOOPBACK, port, decode_responses=True)) as gone:
        sure, beat = beats(gone, instance), StreamBeat(run_id, FAR, 3)
        with pytest.raises(StoreUnavailableError):
            sure.beat(beat)
        assert sure.alive() == [beat]


def test_a_run_that_is_silent_in_a_redis_that_takes_beats_is_dead(
    server: redis.Redis, instance: dg.DagsterInstance, run_id: str
) -> None:
    sure = beats(server, instance)
    sure.beat(StreamBeat(run_id, FAR, 3))
    expired(server, run_id)
    assert sure.alive() == []


def test_books_get_a_beat_now_and_then_and_the_last_one(
    server: redis.Redis, instance: dg.DagsterInstance, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[StreamBeat] = []

    class Books:
        def beat(self, beat: StreamBeat) -> None:
            noted.append(beat)

        def alive(self) -> list[StreamBeat]:
            return noted[-1:]

    monkeypatch.setattr(heartbeats, "BOOKS_SECONDS", 3600.0)
    sure = SureHeartbeats(Heartbeats(server, 60), Books())
    for files in range(3):
        sure.beat(StreamBeat(run_id, FAR, files))
    sure.beat(StreamBeat(run_id, FAR, 3, consuming=False))
    assert [(beat.files, beat.consuming) for beat in noted] == [(0, True), (3, False)]


def test_a_run_that_was_taken_for_dead_has_ended_by_the_books(
    instance: dg.DagsterInstance, run_id: str
) -> None:
    assert not has_ended(instance, run_id)
    assert not has_ended(instance, "of another instance")
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run, "gone")
    assert has_ended(instance, run_id)


def test_books_that_cannot_be_read_end_no_run(
    instance: dg.DagsterInstance, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OSError("database table is locked")

    monkeypatch.setattr(instance, "get_run_by_id", locked)
    monkeypatch.setattr(instance, "add_run_tags", locked)
    monkeypatch.setattr(instance, "get_run_records", locked)
    assert not has_ended(instance, run_id)
    BookBeats(instance).beat(StreamBeat(run_id, FAR, 3))
    with pytest.raises(StoreUnavailableError, match="in the books"):
        BookBeats(instance).alive()
