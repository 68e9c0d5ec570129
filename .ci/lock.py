"""Writes the files of exact versions, newest within what pyproject.toml allows: `make lock`.

Each interpreter's own pip resolves for it (`install --dry-run --report`, which installs nothing);
where two of them need different versions, each line says which it is for. Nothing but the standard
library is imported, so that it works before there is an environment to work in.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from trade_assets.local import ministack_pins  # noqa: E402 - found by the line before

PROJECT = "trade-assets"
BUILD_TOOLS = ("setuptools",)  # of `build-system.requires`, for pip's isolated builds
EXTRAS = "local,dev,bench"

HEAD = """\
# Exact versions of {what}.
# Written by `make lock`; do not edit. For Python {versions} on Linux.
"""


def resolve(python: str, requirements: list[str]) -> dict[str, str]:
    """Versions by canonical name that pip of a fresh environment of `python` would install."""
    with tempfile.TemporaryDirectory() as folder:
        run([python, "-m", "venv", folder])
        report = Path(folder) / "report.json"
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
        options = ["--dry-run", "--ignore-installed", "--report", str(report)]
        run([*pip, "install", *options, *requirements])
        items = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    found = {ministack_pins.canonical(item["name"]): item["version"] for item in items}
    found.pop(PROJECT, None)
    return found


def version_of(python: str) -> str:
    """`3.11` of an interpreter."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    return run([python, "-c", code]).strip()


def run(command: list[str]) -> str:
    """Output of a command, whose errors people see as they are."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {' '.join(command[:4])} …: {error}")
    return done.stdout


def lines(resolved: dict[str, dict[str, str]]) -> list[str]:
    """Lines of a file of constraints: versions by name, by version of Python."""
    by_name: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for python, found in resolved.items():
        for name, version in found.items():
            by_name[name][version].append(python)
    return [
        f"{name}=={version}" + marker(pythons, len(resolved))
        for name, versions in sorted(by_name.items())
        for version, pythons in versions.items()
    ]


def marker(pythons: list[str], count: int) -> str:
    """Empty where all versions of Python are meant."""
    if len(pythons) == count:
        return ""
    return " ; " + " or ".join(f'python_version == "{python}"' for python in pythons)


def write(path: Path, what: str, pythons: dict[str, str], requirements: list[str]) -> None:
    """One file of constraints, for all interpreters."""
    resolved = {version: resolve(python, requirements) for version, python in pythons.items()}
    head = HEAD.format(what=what, versions=" and ".join(resolved))
    path.write_text(head + "\n".join(lines(resolved)) + "\n")
    sys.stdout.write(f"{path.relative_to(CHECKOUT)}: {', '.join(map(count, resolved.items()))}\n")


def count(item: tuple[str, dict[str, str]]) -> str:
    """For people: how many packages one version of Python gets."""
    return f"Python {item[0]} {len(item[1])} packages"


def main(interpreters: list[str]) -> None:
    """Write both files; `interpreters` are the commands of all versions of Python that count."""
    pythons = {version_of(python): python for python in interpreters}
    project = [f".[{EXTRAS}]", *BUILD_TOOLS]
    write(CHECKOUT / "constraints.txt", "all that this project installs", pythons, project)
    stand_in = list(ministack_pins.REQUIREMENTS)
    write(ministack_pins.CONSTRAINTS, "the local AWS stand-in's environment", pythons, stand_in)


if __name__ == "__main__":
    main(sys.argv[1:])
