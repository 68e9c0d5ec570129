"""Where modules are and what they are called: the tests mirror the package, and no module name
stands for two things. What may import what is for the import linter.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from trade_assets_tests.support.parts import CHECKOUT

PACKAGE = CHECKOUT / "trade_assets"
TESTS = CHECKOUT / "trade_assets_tests"

APART = {
    "benchmarks": "mirrors the benchmarks, which stand beside the package",
    "e2e": "the whole product, which is in no one folder",
    "samples": "files of every format, and what makes them",
    "support": "helpers that several folders use",
}
"""Folders of the tests that mirror none of the package, and why."""

WHOLE = {
    "test_adding": "docs/adding.md",
    "test_contributing": "the pins and the hooks",
    "test_docs": "the documentation",
    "test_layout": "the folders of all modules",
    "test_scaffold": "the project as Dagster's command line sees it",
    "test_secrets": "what no module may show",
}
"""Tests that are of no one module, and what they are of."""

ONE_A_CONCEPT = {
    "__init__",
    "assets",
    "checks",
    "datasets",
    "definitions",
    "footprint",
    "health_section",
    "rebuilders",
    "resources",
}
"""Names that mean the same in every folder that has one."""


def modules(root: Path) -> list[Path]:
    """Every module below a folder, relative to it."""
    return sorted(path.relative_to(root) for path in root.rglob("*.py"))


def folders(root: Path) -> set[Path]:
    """The folders below one that have modules; what a removed one left behind is none."""
    return {path.parent for path in modules(root)}


@pytest.mark.parametrize("folder", sorted(folders(TESTS)), ids=str)
def test_a_folder_of_tests_mirrors_one_of_the_package(folder: Path) -> None:
    assert folder in folders(PACKAGE) or folder.parts[0] in APART


def test_the_tests_of_benchmarks_mirror_them() -> None:
    tested = folders(TESTS / "benchmarks")
    assert tested <= folders(CHECKOUT / "benchmarks")


def test_a_test_beside_no_folder_is_of_a_module_there_or_of_the_whole() -> None:
    beside = {path.stem for path in TESTS.glob("test_*.py")} - WHOLE.keys()
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert {name.removeprefix("test_") for name in beside} <= there


def test_no_module_name_stands_for_two_things() -> None:
    found = defaultdict(list)
    for path in modules(PACKAGE):
        found[path.stem].append(str(path))
    twice = {name: paths for name, paths in found.items() if len(paths) > 1}
    assert {name: twice[name] for name in twice.keys() - ONE_A_CONCEPT} == {}
