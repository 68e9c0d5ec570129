"""Writes the samples; a folder may be given in place of their own."""

import sys
from pathlib import Path

from trade_assets_tests.samples.made_files import SAMPLES, made_files


def write(folder: Path) -> None:
    """Write every sample below a folder."""
    for path, data in made_files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
