"""One try to push one file, on a worker's thread, and what came of it. Never raises for a file's
sake: what to do about an outcome is the agent's decision."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trade_assets.agent.candidates import Candidate
from trade_assets.agent.folder_files import read_finished
from trade_assets.agent.uploader import Upload, Uploader
from trade_assets.errors import PermanentError, TransientError


class Result(StrEnum):
    """How a try ended."""

    PUSHED = "pushed"
    SAME = "same"  # the last version sent has this content
    UNFINISHED = "unfinished"  # open for writing, or changed since it was seen
    VANISHED = "vanished"  # gone before it could be read
    REFUSED = "refused"  # the bucket refuses, or the file cannot be read
    UNREACHABLE = "unreachable"  # the bucket stayed out of reach


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try. `upload` is there if it was pushed, `reason` if it failed."""

    candidate: Candidate
    result: Result
    upload: Upload | None = None
    reason: str = ""


class Attempts:
    """Tries to push files of one folder."""

    def __init__(self, folder: Path, uploader: Uploader) -> None:
        self._folder = folder
        self._uploader = uploader

    def push(self, candidate: Candidate) -> Outcome:
        """Read a file if it is finished, and send it if it is new."""
        try:
            return self._push(candidate)
        except FileNotFoundError:
            return Outcome(candidate, Result.VANISHED)
        except TransientError as error:
            return Outcome(candidate, Result.UNREACHABLE, reason=str(error))
        except (PermanentError, OSError) as error:
            return Outcome(candidate, Result.REFUSED, reason=str(error))

    def _push(self, candidate: Candidate) -> Outcome:
        name, stamp = candidate.name, candidate.stamp
        data = read_finished(self._folder / name, stamp, closed=candidate.closed)
        if data is None:
            return Outcome(candidate, Result.UNFINISHED)
        upload = self._uploader.upload(name, data, stamp)
        return Outcome(candidate, Result.SAME if upload is None else Result.PUSHED, upload)
