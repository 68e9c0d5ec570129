"""When an environment of the AWS stand-in is one of the pinned versions, and when it is not."""

from pathlib import Path

import pytest

from trade_assets.local import ministack_pins
from trade_assets.local.ministack import is_built
from trade_assets.local.ministack_pins import VERSION, has_the_pins, pins


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A complete environment with the stand-in and one more package, as their pins say."""
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(
        f"# head\nministack=={VERSION}\nsome-name==1.2.post1\n"
        'two==1.0 ; python_version == "3.11"\ntwo==2.0 ; python_version == "3.12"\n'
    )
    monkeypatch.setattr(ministack_pins, "CONSTRAINTS", constraints)
    folder = tmp_path / "environment"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / "complete").touch()
    _install(folder, "ministack", VERSION)
    _install(folder, "Some_Name", "1.2.post1")
    _install(folder, "pip", "1")
    return folder


def _install(folder: Path, name: str, version: str) -> None:
    packages = folder / "lib" / "python3.11" / "site-packages"
    metadata = packages / f"{name}-{version}.dist-info"
    metadata.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (metadata / "METADATA").write_text(text)


@pytest.mark.usefixtures("environment")
def test_pins_are_read_whatever_their_markers() -> None:
    assert pins(ministack_pins.CONSTRAINTS) == {
        ("ministack", VERSION),
        ("some-name", "1.2.post1"),
        ("two", "1.0"),
        ("two", "2.0"),
    }


def test_an_environment_of_the_pinned_versions_is_not_built_again(environment: Path) -> None:
    assert is_built(environment)
    _install(environment, "two", "1.0")
    assert is_built(environment)


@pytest.mark.parametrize(("name", "version"), [("two", "3.0"), ("stranger", "1.0")])
def test_another_version_and_an_unknown_package_are_seen(
    environment: Path, name: str, version: str
) -> None:
    _install(environment, name, version)
    assert not has_the_pins(environment)
    assert not is_built(environment)


def test_an_environment_without_the_stand_in_is_not_it(tmp_path: Path) -> None:
    assert not has_the_pins(tmp_path)


def test_the_pins_are_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ("ministack", VERSION) in pins(ministack_pins.CONSTRAINTS)
