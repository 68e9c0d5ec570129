"""What contributors rely on agrees with itself: pins, bounds and hooks. Nothing is installed."""

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from trade_assets.local.ministack_pins import CONSTRAINTS, REQUIREMENTS, VERSION, canonical, pins
from trade_assets_tests.support.parts import CHECKOUT

LOCK = CHECKOUT / "constraints.txt"
LOCKED = (LOCK, CONSTRAINTS)


def _project() -> Iterator[Requirement]:
    """Everything that pyproject.toml asks for, the build's own tools too."""
    content = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    project = content["project"]
    for group in (
        content["build-system"]["requires"],
        project["dependencies"],
        *project["optional-dependencies"].values(),
    ):
        yield from map(Requirement, group)


@pytest.mark.parametrize(
    ("path", "requirements"),
    [(LOCK, list(_project())), (CONSTRAINTS, list(map(Requirement, REQUIREMENTS)))],
    ids=["project", "ministack"],
)
def test_every_requirement_is_pinned_within_its_bounds(
    path: Path, requirements: list[Requirement]
) -> None:
    locked = pins(path)
    for requirement in requirements:
        versions = [version for name, version in locked if name == canonical(requirement.name)]
        assert versions, f"{requirement} has no pin; make lock"
        for version in versions:
            assert requirement.specifier.contains(version), f"{requirement}: {version}; make lock"


@pytest.mark.parametrize("path", LOCKED, ids=["project", "ministack"])
def test_pins_are_names_and_versions_and_no_place_to_get_them_from(path: Path) -> None:
    marker = r'( ; python_version == "3\.\d+")?'
    for line in path.read_text().splitlines():
        assert re.fullmatch(rf"#.*|[a-z0-9-]+==[0-9][0-9a-z.]*{marker}", line), line
        assert "://" not in line


@pytest.mark.parametrize("path", LOCKED, ids=["project", "ministack"])
def test_no_python_gets_two_versions_of_a_package(path: Path) -> None:
    pinned = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    for version in ("3.11", "3.12"):
        names = [
            requirement.name
            for requirement in map(Requirement, pinned)
            if not requirement.marker or requirement.marker.evaluate({"python_version": version})
        ]
        assert len(names) == len(set(names))


def test_the_stand_in_s_version_is_the_one_that_is_pinned() -> None:
    assert ("ministack", VERSION) in pins(CONSTRAINTS)


def test_the_hooks_of_git_run_what_make_lint_runs() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    linted = [line.strip().removeprefix("@$(BIN)/") for line in recipe[1].splitlines()]
    (repo,) = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in repo["hooks"]] == linted


def test_the_package_says_that_it_is_typed() -> None:
    assert files("trade_assets").joinpath("py.typed").is_file()
