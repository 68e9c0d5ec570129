"""The committed samples are what their generator makes, and there is one of every format."""

from pathlib import Path

from trade_assets.datasets.registry import feed_of_file, feeds
from trade_assets_tests.samples.made_files import SAMPLES, made_files

MOST_BYTES = 500_000


def committed() -> dict[str, bytes]:
    """The samples as they lie in the checkout."""
    files = (path for path in SAMPLES.rglob("*") if path.is_file())
    return {
        str(path.relative_to(SAMPLES)): path.read_bytes()
        for path in files
        if path.suffix in (".csv", ".json")
    }


def test_the_samples_are_what_is_made_today() -> None:
    made, there = made_files(), committed()
    assert sorted(there) == sorted(made)
    for path, data in made.items():
        assert there[path] == data, f"{path}: python -m trade_assets_tests.samples"


def test_every_feed_has_one_by_hand_and_one_of_the_simulator() -> None:
    names = [Path(path).name for path in made_files() if not path.startswith("tt/")]
    found = [feed.path for name in names if (feed := feed_of_file(name)) is not None]
    assert len(found) == len(names)
    assert {path for path in found if found.count(path) > 1} == set(feeds())


def test_they_stay_small() -> None:
    assert sum(map(len, made_files().values())) < MOST_BYTES
