"""What the platform declares that it needs: complete, and no name stands for nothing."""

from collections import Counter
from collections.abc import Sequence

import pytest

from trade_assets.settings import load_settings
from trade_assets.stores.resource_kinds import (
    Bucket,
    BucketNotification,
    Queue,
    Resource,
    Secret,
    Table,
    Topic,
    declared_resources,
)


@pytest.fixture
def declared() -> Sequence[Resource]:
    return declared_resources(load_settings())


def test_the_platform_declares_what_it_needs(declared: Sequence[Resource]) -> None:
    assert Counter(type(item) for item in declared) == {
        Bucket: 1, BucketNotification: 1, Queue: 2, Table: 2, Topic: 1, Secret: 1,
    }  # fmt: skip


def test_no_two_resources_of_a_kind_share_a_name(declared: Sequence[Resource]) -> None:
    names = [
        (type(item), item.identity if isinstance(item, BucketNotification) else item.name)
        for item in declared
    ]
    assert len(names) == len(set(names))


def test_notifications_and_dead_letters_lead_to_what_is_declared(
    declared: Sequence[Resource],
) -> None:
    buckets = {item.name for item in declared if isinstance(item, Bucket)}
    queues: list[str] = []
    for item in declared:
        if isinstance(item, Queue):
            # A queue is made after the one that its dead letters go to.
            assert item.dead_letter_queue in (None, *queues)
            assert (item.dead_letter_queue is None) == (item.max_receives is None)
            queues.append(item.name)
    for item in declared:
        if isinstance(item, BucketNotification):
            assert item.bucket in buckets
            assert item.queue in queues


def test_one_table_names_the_generation(declared: Sequence[Resource]) -> None:
    named = [item for item in declared if isinstance(item, Table) and item.generation_key]
    assert [item.name for item in named] == [load_settings().ledger_table]
