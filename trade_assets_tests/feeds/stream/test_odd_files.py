"""Files that are not as they should be: what is stored, quarantined, counted and told of them.

They are ingested once by the stream and once by a rerun; the tests look at what came of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import orjson
import pytest

from trade_assets.defs.feeds.checks import write_check_outcomes
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.ingest.figures import FileFigures
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets_tests.feeds.stream.harness import consuming, drained, ledger_lines
from trade_assets_tests.stores.samples import (
    SPOT,
    SPOT_HEADER,
    history_items,
    spot_bytes,
    spot_key,
)
from trade_assets_tests.support.materialise import Materialise
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores

REPEATED, DAMAGED, BOTH, WIDER, NARROWER = (spot_key(second) for second in (1, 2, 3, 4, 5))
TWICE = "XCME.ZN.SEP25,110.25,110.5,INVALID,F,110.25,,,"
ODD = "odd,x,1,,F,,,,"
FILES = {
    REPEATED: spot_bytes({"XCME.ZN.SEP25": 109.0, "XCME.ZF.SEP25": 108.0}, TWICE),
    DAMAGED: spot_bytes({"XCME.ZN.SEP25": 110.5}, ODD),
    BOTH: spot_bytes({"XCME.ZN.SEP25": 109.0}, TWICE, ODD),
    WIDER: b"Key,BID,ASK,STRIKE,ITYPE,VEGA\n"
    b"XCME.ZN.SEP25,110.75,111,,F,17.5\nXCME.ZF.SEP25,1,2,,F,\n",
    NARROWER: SPOT_HEADER.replace("BID,", "").encode(),
}


@dataclass
class Ingested:
    """What came of the files: the settings of their stores, and the metadata of the checks."""

    settings: Settings
    stores: Stores
    checks: Mapping[str, Mapping[str, Any]]

    def line(self, key: str) -> Mapping[str, str]:
        """The one line of the ledger about a file."""
        (line,) = (line for line in ledger_lines(self.settings) if line["pk"] == key)
        return line

    def quarantine(self, key: str) -> Mapping[str, Any] | None:
        """What stands beside a file in quarantine, or None."""
        if self.stores.objects.head(f"quarantine/{key}") is None:
            return None
        told = self.stores.objects.get(f"quarantine/{key}.error.json").data
        return dict(orjson.loads(told))


@pytest.fixture(scope="module", params=["stream", "rerun"])
def ingested(
    request: pytest.FixtureRequest,
    local_parts: LocalParts,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ingested]:
    settings = local_parts.settings(tmp_path_factory.mktemp("odd") / "home")
    provision(settings)
    with Stores(settings) as stores:
        for key, data in FILES.items():
            stores.objects.put(key, data)
        ingest = _streamed if request.param == "stream" else _rerun
        yield Ingested(settings, stores, ingest(stores))


def _streamed(stores: Stores) -> Mapping[str, Mapping[str, Any]]:
    reports = StreamReports()
    with consuming(stores, reports=reports):
        drained(stores, *FILES)
    (figures,) = (item for item in reports.take() if isinstance(item, FileFigures))
    return {
        outcome.name: {"passed": outcome.passed, **outcome.metadata}
        for outcome in write_check_outcomes(figures, stores)
    }


def _rerun(stores: Stores) -> Mapping[str, Mapping[str, Any]]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = Materialise(stores.settings, instance)(SPOT)
    assert result.success
    return {
        check.check_name: {
            "passed": check.passed,
            **{name: value.value for name, value in check.metadata.items()},
        }
        for check in result.get_asset_check_evaluations()
    }


def test_a_file_with_nothing_worse_than_duplicates_is_not_quarantined(ingested: Ingested) -> None:
    line = ingested.line(REPEATED)
    assert line["state"] == "stored"
    assert (line["rows_in"], line["rows_stored"], line["rows_rejected"]) == ("3", "2", "1")
    assert line["error"] == "1 duplicate rows, of which the last stays"
    assert ingested.quarantine(REPEATED) is None
    bids = {
        str(row["file_key"]): float(row["bid_price"])
        for row in ingested.stores.history.read(SPOT, "XCME.ZN.SEP25")
    }
    assert bids[REPEATED] == 110.25


@pytest.mark.parametrize(
    ("key", "counts", "text"),
    [
        (DAMAGED, ("2", "1", "1"), "1 rows rejected; the first, row 4: "),
        (BOTH, ("3", "1", "2"), "1 rows rejected; the first, row 5: "),
    ],
    ids=["damaged", "damaged and with duplicates"],
)
def test_a_damaged_file_is_stored_as_far_as_it_goes_and_quarantined(
    ingested: Ingested, key: str, counts: tuple[str, str, str], text: str
) -> None:
    line = ingested.line(key)
    assert line["state"] == "stored"
    assert (line["rows_in"], line["rows_stored"], line["rows_rejected"]) == counts
    assert line["error"].startswith(text)
    told = ingested.quarantine(key)
    assert told is not None
    assert told["reason"] == line["error"]
    assert len(told["rows"]) == int(counts[2])
    assert ODD in [row["text"] for row in told["rows"]]
    assert (key == BOTH) == line["error"].endswith("; 1 duplicate rows, of which the last stays")


def test_an_unknown_column_is_kept_and_told(ingested: Ingested) -> None:
    extra = orjson.dumps({"VEGA": "17.5"}).decode()
    (latest,) = ingested.stores.latest.read(SPOT, ["XCME.ZN.SEP25"])
    assert (latest["file_key"], latest["extra"]) == (WIDER, extra)
    items = {
        item["record_key"]["S"]: item
        for item in history_items(ingested.settings)
        if item["file_key"]["S"] == WIDER
    }
    assert items["XCME.ZN.SEP25"]["extra"] == {"S": extra}
    assert "extra" not in items["XCME.ZF.SEP25"]
    assert ingested.checks["schema"]["passed"]
    assert ingested.checks["schema"]["unknown_columns"] == ["VEGA"]
    assert ingested.stores.unknown_columns.names(SPOT) == ["VEGA"]
    assert ingested.line(WIDER).keys() >= {"rows_stored"}
    assert "error" not in ingested.line(WIDER)
    assert ingested.quarantine(WIDER) is None


def test_a_file_without_a_column_that_it_must_have_is_quarantined_by_name(
    ingested: Ingested,
) -> None:
    line = ingested.line(NARROWER)
    assert (line["state"], line["rows_in"]) == ("quarantined", "0")
    assert "the header has no column 'BID'" in line["error"]
    told = ingested.quarantine(NARROWER)
    assert told is not None
    assert "no column 'BID'" in told["reason"]
    assert ingested.stores.objects.get(f"quarantine/{NARROWER}").data == FILES[NARROWER]


def test_every_row_is_accounted_for_and_duplicates_are_counted_apart(ingested: Ingested) -> None:
    rows = ingested.checks["rows_accounted"]
    assert rows["passed"]
    assert (rows["rows_in"], rows["rows_stored"], rows["rows_rejected"]) == (10, 6, 4)
    assert rows["duplicates"] == 2
    totals = [int(line["rows_rejected"]) for line in ledger_lines(ingested.settings)]
    assert sum(totals) == rows["rows_rejected"]
