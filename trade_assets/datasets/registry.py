"""The one registry: every data set there is, found in the `datasets` module of each concept.

Adding a data set is a line in its concept's own `DATASETS`; nothing here changes.
"""

from collections.abc import Mapping
from functools import lru_cache

from trade_assets.concepts import concept_modules
from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.datasets.described import named


@lru_cache(maxsize=1)
def all_datasets() -> Mapping[str, Dataset]:
    """Everything that the stores hold records of, by path; in the order of its concept."""
    found: dict[str, Dataset] = {}
    for module in concept_modules("datasets"):
        found |= module.DATASETS
    return found


@lru_cache(maxsize=1)
def feeds() -> Mapping[str, Feed]:
    """The data sets that come as files, by path."""
    return {path: item for path, item in all_datasets().items() if isinstance(item, Feed)}


def feed_of_file(file_name: str) -> Feed | None:
    """The feed whose name pattern the file name matches as a whole, or None."""
    for feed in feeds().values():
        if feed.file_pattern.fullmatch(file_name):
            return feed
    return None


def dataset_named(name: str) -> Dataset:
    """The data set of a path (`actant/spot_risk`) or of a bare name that only one source has.

    Raises:
        UnknownFeedError: listing the data sets that exist, or those that the name may mean.
    """
    return named(all_datasets(), name)
