"""Which versions the environment of the AWS stand-in has, and whether a folder has just these.

Nothing but the standard library is imported here: `make lock` reads it in a bare interpreter.
"""

import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

VERSION: Final = "1.5.33"
REQUIREMENTS: Final = (f"ministack=={VERSION}", "duckdb", "uvicorn[standard]")
CONSTRAINTS: Final = Path(__file__).with_name("ministack-constraints.txt")
"""One exact version of each of them and of all that they need; written by `make lock`."""

_INSTALLERS: Final = frozenset({"pip", "setuptools", "wheel"})  # what `venv` itself puts there
_PIN: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)")


def pins(constraints: Path) -> frozenset[tuple[str, str]]:
    """Names in canonical form and versions of a file of constraints, whatever their markers."""
    lines = constraints.read_text().splitlines()
    found = (_PIN.match(line) for line in lines)
    return frozenset((canonical(item["name"]), item["version"]) for item in found if item)


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def has_the_pins(environment: Path) -> bool:
    """Whether all that is installed in an environment is so as `CONSTRAINTS` says, ministack too.

    What is installed is asked, not a mark of the build: one that another version of this package
    built is as good, if it came to the same.
    """
    installed = frozenset(_installed(environment))
    return ("ministack", VERSION) in installed and installed <= pins(CONSTRAINTS)


def _installed(environment: Path) -> Iterator[tuple[str, str]]:
    folders = [str(folder) for folder in environment.glob("lib/python3*/site-packages")]
    for item in distributions(path=folders):
        name = canonical(item.name)
        if name not in _INSTALLERS:
            yield name, item.version
