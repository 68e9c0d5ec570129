"""Raw documents in a real bucket: put once, found again however old they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets.tt.formats.snapshot import AnswerInfo, Manifest, SnapshotDocument
from trade_assets.tt.slots.raw_documents import SnapshotDocuments, StoredDocument
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.conftest import wipe

SLOT = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)
STEP = timedelta(seconds=30)
BODY = b'{"orders":  [],"lastPage":"true"}'


def document(slot: datetime, body: bytes = BODY) -> SnapshotDocument:
    info = AnswerInfo("ttledger/orders", {}, slot, len(body))
    return SnapshotDocument(Manifest("ext_prod_sim", "orders", slot, (info,)), (body,))


@pytest.fixture
def stores(module_settings: Settings) -> Iterator[Stores]:
    wipe(module_settings)
    with Stores(module_settings) as made:
        yield made


@pytest.fixture
def documents(stores: Stores) -> SnapshotDocuments:
    return SnapshotDocuments(stores.objects, "ext_prod_sim")


def put(documents: SnapshotDocuments, *slots: datetime) -> list[str]:
    return [documents.put(document(slot)).key for slot in slots]


def slot_of(stored: StoredDocument | None) -> datetime | None:
    return None if stored is None else stored.slot


def test_what_is_put_comes_back_and_is_never_replaced(documents: SnapshotDocuments) -> None:
    assert documents.get("orders", SLOT) is None
    first = documents.put(document(SLOT))
    second = documents.put(document(SLOT, b'{"orders": [1]}'))
    found = documents.get("orders", SLOT)
    assert found is not None
    assert first.document == second.document == found.document == document(SLOT)
    assert (found.info.etag, found.info.size) == (first.info.etag, first.info.size)


def test_an_object_says_how_it_is_packed(documents: SnapshotDocuments, stores: Stores) -> None:
    (key,) = put(documents, SLOT)
    head = s3_client(stores.settings).head_object(Bucket=stores.settings.bucket, Key=key)
    assert (head["ContentEncoding"], head["ContentType"]) == ("gzip", "application/json")


@pytest.mark.parametrize(
    "ago",
    [
        STEP,
        2 * STEP,
        timedelta(minutes=30, seconds=30),
        timedelta(hours=1),
        timedelta(hours=9, minutes=30),
        timedelta(hours=10, seconds=30),
        timedelta(days=3),
        timedelta(days=400),
    ],
    ids=str,
)
def test_the_document_before_is_found(documents: SnapshotDocuments, ago: timedelta) -> None:
    put(documents, SLOT, SLOT - ago, SLOT - ago - STEP, SLOT - timedelta(days=500), SLOT + STEP)
    assert slot_of(documents.before("orders", SLOT)) == SLOT - ago
    assert documents.before("orders", SLOT - timedelta(days=500)) is None
    assert documents.before("fills", SLOT) is None


def test_unreadable_documents_and_files_of_others_are_passed_over(
    documents: SnapshotDocuments, stores: Stores
) -> None:
    put(documents, SLOT - 9 * STEP)
    for number in (1, 2, 3):
        stores.objects.put(documents.key("orders", SLOT - number * STEP), b"{")
    folder = documents.key("orders", SLOT).rpartition("/")[0]
    for name in ("zzz.json", "20261121T095959Z.json", "a.txt"):
        stores.objects.put(f"{folder}/{name}", b"{}")
    assert slot_of(documents.before("orders", SLOT)) == SLOT - 9 * STEP
    broken = documents.get("orders", SLOT - STEP)
    assert broken is not None
    assert broken.document is None
    assert "not JSON" in broken.error


def test_documents_between_two_are_the_newest_in_order(documents: SnapshotDocuments) -> None:
    slots = [SLOT - number * STEP for number in (500, 300, 122, 121, 3, 1)]
    keys = put(documents, *slots)
    assert documents.between("orders", keys[1], SLOT, 240) == keys[2:]
    assert documents.between("orders", keys[0], SLOT, 2) == keys[-2:]
    assert documents.between("orders", keys[-1], SLOT, 240) == []
    later = documents.key("orders", SLOT + STEP)
    assert documents.between("orders", later, SLOT, 240) == []


def test_hours_and_what_follows_are_listed_by_slot(documents: SnapshotDocuments) -> None:
    slots = [SLOT - 2 * STEP, SLOT - STEP, SLOT, SLOT + STEP, SLOT + 120 * STEP]
    keys = put(documents, *reversed(slots))[::-1]
    assert documents.hour_keys("orders", SLOT) == keys[1:4]
    assert [info.key for info in documents.infos_after("orders", SLOT)] == keys[3:]
    assert [item.slot for item in documents.load(keys)] == slots
    assert documents.load([]) == []
    assert documents.load([documents.key("orders", SLOT + 9 * STEP)]) == []
