"""The health of the whole platform: which parts answer, what the concepts found, what is wrong.

For people and monitors. Every reading is bounded, and a part that is away is part of the answer.
What is looked at of a concept is in its own section (`sections`), how it looks is `cli`'s business.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from trade_assets.monitor.part_status import PartLooker, PartStatus
from trade_assets.monitor.sections import SectionStatus, StorePart, find_sections
from trade_assets.monitor.store_checks import StoreChecks
from trade_assets.settings import Profile, Settings

AWS_PARTS: Final = (StorePart.S3, StorePart.SQS, StorePart.DYNAMODB)

Status = TypeVar("Status")
Answers = list[Any]
"""What the sections found in one store, in their order; None of one that does not look there."""


@dataclass(frozen=True, slots=True)
class Health:
    """One look. What a section could not look at it calls unknown; `parts` says why."""

    time: datetime
    profile: str
    namespace: str
    parts: tuple[PartStatus, ...]
    sections: tuple[SectionStatus, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is down, stale or given up; empty when healthy."""
        found = [f"{part.name}: {part.problem}" for part in self.parts if part.problem]
        return (*found, *(problem for section in self.sections for problem in section.problems))

    def section(self, kind: type[Status]) -> Status:
        """The section of this type.

        Raises:
            LookupError: no concept contributed one.
        """
        found = self.find(kind)
        if found is None:
            raise LookupError(f"no concept contributes a {kind.__name__}")
        return found

    def find(self, kind: type[Status]) -> Status | None:
        """The section of this type; None where its concept was left out."""
        return next((section for section in self.sections if isinstance(section, kind)), None)

    def as_dict(self) -> dict[str, Any]:
        """All of it, and the verdict, for JSON."""
        problems = self.problems
        seen: dict[str, Any] = {
            "healthy": not problems,
            "problems": problems,
            "time": self.time,
            "profile": self.profile,
            "namespace": self.namespace,
            "parts": [asdict(part) for part in self.parts],
        }
        for section in self.sections:
            seen |= section.as_dict()
        return seen


class HealthObserver:
    """Looks at everything, as often as asked; keeps its connections. One look at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts = PartLooker(settings)
        self._stores = StoreChecks(settings, self._parts)
        self._sections = find_sections(settings)
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="health")

    def look(self) -> Health:
        """One look; what is away takes seconds at most, and shows in the result."""
        now = datetime.now(UTC)
        # Sessions of boto3 make clients in one thread only, so AWS is looked at in one.
        aws = self._pool.submit(self._look_into, AWS_PARTS, now)
        redis = self._pool.submit(self._look_into, (StorePart.REDIS,), now)
        others = self._pool.submit(self._look_at_local_parts)
        seen = {**aws.result(), **redis.result()}
        answers = {part: found for part, (_, found) in seen.items() if found is not None}
        return Health(
            time=now,
            profile=self._settings.profile.value,
            namespace=self._settings.namespace,
            parts=(*(part for part, _ in seen.values()), *others.result()),
            sections=self._statuses(now, answers),
        )

    def close(self) -> None:
        """Give threads and connections back."""
        self._pool.shutdown()
        for section in self._sections:
            section.close()
        self._stores.close()
        self._parts.close()

    def __enter__(self) -> "HealthObserver":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_into(
        self, parts: tuple[StorePart, ...], now: datetime
    ) -> dict[StorePart, tuple[PartStatus, Answers | None]]:
        return {part: self._look_at(part, now) for part in parts}

    def _look_at(self, part: StorePart, now: datetime) -> tuple[PartStatus, Answers | None]:
        def into_store() -> Answers:
            self._stores.check(part)
            looks = [section.looks.get(part) for section in self._sections]
            return [look(now) if look else None for look in looks]

        status, found = self._parts.look(part.value, self._stores.where(part), into_store)
        if found is None:
            return status, None
        return replace(status, problem=self._stores.write_problem(part)), found

    def _look_at_local_parts(self) -> list[PartStatus]:
        """What runs on this machine in the local profile only."""
        if self._settings.profile is not Profile.LOCAL:
            return []
        programs = [item for section in self._sections for item in section.local_parts.items()]
        return [self._parts.dagster(), *(self._parts.listener(*item) for item in programs)]

    def _statuses(
        self, now: datetime, answers: Mapping[StorePart, Answers]
    ) -> tuple[SectionStatus, ...]:
        return tuple(
            section.status(now, {part: found[at] for part, found in answers.items()})
            for at, section in enumerate(self._sections)
        )
