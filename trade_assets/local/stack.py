"""The local stack as a whole: prepared, started, watched and stopped. No terminal output here."""

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import urllib3

from trade_assets.concepts import footprints, is_chosen
from trade_assets.errors import LocalStackError, SettingsError, TransientError
from trade_assets.local import dynalite, leftovers
from trade_assets.local.child_process import log_tail, wait_until
from trade_assets.local.dagster_home import write_instance, write_workspace
from trade_assets.local.loaded_watch import LoadedWatch
from trade_assets.local.masters import FILE_NAME, Masters, captured
from trade_assets.local.ministack import (
    FOLDER_NAME,
    ensure_environment,
    forget_tables,
    is_healthy,
)
from trade_assets.local.programs import (
    CODE_SERVER,
    DEFINITIONS_MODULE,
    Program,
    StackPaths,
    aws_port,
    dagster_programs,
    desk_programs,
    dynamodb_port,
    redis_password,
    redis_port,
    store_programs,
    tt_programs,
)
from trade_assets.local.redis_server import answers_ping
from trade_assets.local.retention import Retention
from trade_assets.local.supervisor import ProgramState, Supervisor
from trade_assets.ports import LOOPBACK, PortNeed, free_port, require_free
from trade_assets.settings import AwsService, Profile, Settings, child_environment, without_proxy
from trade_assets.stores.provision import Provisioned, provision

BASE_MEMORY_MB: Final = 950
"""Of the stores, Dagster and the supervisor, whatever the concepts."""
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 300.0
"""Bound of an orderly stop: the sum of what each program may take is less."""
CAPTURE_EVERY_SECONDS: Final = 3.0
"""So old may a secret or parameter be that a killed stand-in takes along."""
RETRY_GIVEN_UP_SECONDS: Final = 30.0
_ARENAS: Final = "2"
"""Of glibc's allocator, which else has eight a core: processes of many threads that have little to
do each take a tenth less memory."""
_FOREIGN_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
)
"""Credentials of an account have no business in processes that reach only this machine."""

_DISK_ERRORS: Final = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT),  # full
        *(errno.EROFS, errno.EACCES, errno.EPERM),  # not ours to write
        *(errno.ENOTDIR, errno.EEXIST),  # a file where the home should be
    }
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to a program, in words; `detail` is the end of its log, or empty."""

    program: str
    message: str
    detail: str = ""


def has_tt_simulator(settings: Settings, *, simulator: bool) -> bool:
    """Whether the stack simulates TT: unless it is left out, or the settings name another TT."""
    return simulator and settings.tt.base_url is None and is_chosen("tt", settings.platform.only)


def memory_mb(settings: Settings) -> int:
    """What the stack of the chosen concepts takes, as measured."""
    chosen = (
        footprint.memory_mb
        for concept, footprint in footprints().items()
        if is_chosen(concept, settings.platform.only)
    )
    return BASE_MEMORY_MB + sum(chosen)


def port_needs(settings: Settings, *, simulator: bool) -> list[PortNeed]:
    """The ports that the stack listens on; the code server takes any free one."""
    needs = [
        PortNeed(aws_port(settings), "the AWS stand-in", "AWS_ENDPOINT_URL"),
        *(
            [PortNeed(port, "the local DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB")]
            if (port := dynamodb_port(settings))
            else []
        ),
        PortNeed(redis_port(settings), "Redis", "TRADE_ASSETS_REDIS_URL"),
        PortNeed(settings.local.dagster_port, "the Dagster UI", "TRADE_ASSETS_DAGSTER_PORT"),
    ]
    if has_tt_simulator(settings, simulator=simulator):
        port = settings.local.tt_simulator_port
        needs.append(PortNeed(port, "the TT simulator", "TRADE_ASSETS_TT_SIMULATOR_PORT"))
    return needs


def stack_environment(
    settings: Settings, dagster_home: str, *, simulator: bool = False
) -> dict[str, str]:
    """Environment of every program: the settings, where Dagster lives, and the stack's marker.

    Where there is no TT to ask, snapshots are off: they would only fail.
    """
    home = str(settings.home_path)
    environment = child_environment(
        settings,
        TRADE_ASSETS_HOME=home,
        AWS_ENDPOINT_URL=settings.aws_endpoint or "",
        AWS_ENDPOINT_URL_DYNAMODB=settings.aws_endpoint_of(AwsService.DYNAMODB) or "",
        AWS_EC2_METADATA_DISABLED="true",
        DAGSTER_HOME=dagster_home,
        MALLOC_ARENA_MAX=_ARENAS,
        DO_NOT_TRACK="1",
        PYTHONUNBUFFERED="1",
        **{leftovers.MARKER: home},
    )
    if not simulator and settings.tt.base_url is None:
        environment["TRADE_ASSETS_TT_SNAPSHOTS_ENABLED"] = "false"
    for name in _FOREIGN_VARIABLES:
        environment.pop(name, None)
    # A proxy for the world outside must not be asked for our own ports.
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = without_proxy(environment.get(name))
    return environment


@dataclass
class Stack:
    """The running stack. Get one from `running_stack`."""

    settings: Settings
    paths: StackPaths
    programs: list[Program]
    supervisor: Supervisor
    _pids: dict[str, int] = field(default_factory=dict)
    _given_up: dict[str, float] = field(default_factory=dict)
    _to_provision: bool = False

    def __post_init__(self) -> None:
        self._loaded = LoadedWatch(self.settings)
        self._masters = Masters(self.settings, self.paths.home / FILE_NAME)
        self._capture_due = 0.0

    def await_stores(self) -> None:
        """Wait until the stores answer.

        Raises:
            LocalStackError: one does not; with the end of its log.
        """
        password = redis_password(self.settings)
        checks: dict[str, Callable[[], bool]] = {
            "ministack": lambda: is_healthy(aws_port(self.settings)),
            "redis": lambda: answers_ping(redis_port(self.settings), password),
        }
        if (port := dynamodb_port(self.settings)) is not None:
            checks["dynalite"] = lambda: dynalite.answers(port)
        for name, check in checks.items():
            if not wait_until(check, lambda name=name: self._may_start(name), READY_SECONDS):  # type: ignore[misc]
                log = self.paths.log(name)
                raise LocalStackError(f"{name} does not start; {log} ends:\n{log_tail(log)}")

    def _may_start(self, name: str) -> bool:
        states = self.supervisor.states()
        return states is None or not states[name].is_given_up

    def seed_and_provision(self) -> Provisioned:
        """Give the stand-in its secrets and parameters, then make what is missing.

        Raises:
            LocalStackError: the file of the secrets is damaged.
            TransientError: the stand-in is away.
        """
        self._masters.seed()
        done = self.provision()
        self._masters.capture()
        return done

    def provision(self) -> Provisioned:
        """Make what is missing in the stand-in (all of it after a hard kill, see `ministack`)."""
        return provision(self.settings)

    def start_programs(self) -> None:
        """Start everything that is no store, without waiting."""
        self._loaded.started()
        for program in self.programs:
            if not program.is_store:
                self.supervisor.start(program.name)

    def ui_answers(self) -> bool:
        """Whether the Dagster UI answers."""
        url = f"http://{LOOPBACK}:{self.settings.local.dagster_port}/server_info"
        try:
            return urllib3.request("GET", url, retries=False, timeout=2.0).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def await_ui(self) -> bool:
        """Wait for the Dagster UI; False if it does not come, which is no reason to end."""
        return wait_until(self.ui_answers, lambda: self._may_start("webserver"), READY_SECONDS)

    def watch(self) -> tuple[dict[str, ProgramState], list[Incident]]:
        """One look at the programs: their states, and what happened since the last look.

        Heals what supervisord cannot: a stand-in that came back is provisioned again, a program
        that supervisord gave up gets another chance now and then.

        Raises:
            LocalStackError: supervisord itself is gone.
        """
        states = self.supervisor.states()
        if states is None:
            if self.supervisor.is_alive():
                return {}, []
            log = self.paths.log("supervisord")
            raise LocalStackError(f"supervisord ended; {log} ends:\n{log_tail(log)}")
        incidents = [item for state in states.values() for item in self._incidents(state)]
        if self._to_provision:
            incidents += self._provision_again()
        elif time.monotonic() >= self._capture_due:
            self._capture_due = time.monotonic() + CAPTURE_EVERY_SECONDS
            captured(self._masters)
        incidents += self._reload()
        return states, incidents

    def _incidents(self, state: ProgramState) -> Iterator[Incident]:
        log = self.paths.log(state.name)
        known = self._pids.get(state.name)
        if state.pid:
            self._pids[state.name] = state.pid
        if state.pid and known and state.pid != known:
            yield Incident(state.name, f"ended and was restarted, see {log}")
            self._to_provision |= state.name == "ministack"
        if not state.is_given_up:
            self._given_up.pop(state.name, None)
            return
        since = self._given_up.get(state.name)
        now = time.monotonic()
        if since is None:
            self._given_up[state.name] = now
            yield Incident(state.name, "keeps ending, its log ends:", log_tail(log))
        elif now - since >= RETRY_GIVEN_UP_SECONDS:
            self._given_up[state.name] = now
            self.supervisor.start(state.name)

    def _reload(self) -> Iterator[Incident]:
        """Start the code server again when older data have landed than it has partitions for."""
        first = self._loaded.moved_back()
        if first is not None:
            yield Incident(CODE_SERVER, f"is started again: data begin at {first:%F %H:00} UTC")
            self.supervisor.restart(CODE_SERVER)

    def _provision_again(self) -> list[Incident]:
        try:
            done = self.seed_and_provision()
        except TransientError:
            return []  # it is not up yet: the next look tries again
        self._to_provision = False
        return [Incident("ministack", f"is back and {self._fate(done.created)}")]

    def _fate(self, made_anew: Sequence[str]) -> str:
        if self.settings.ledger_table in made_anew:
            return "lost its tables, which are rebuilt from S3"
        if made_anew:
            return "lost its queues; what waited in them is found in the bucket"
        return "kept its state"

    def stop(self) -> None:
        """Stop everything in order, then whatever should still be there."""
        captured(self._masters)
        self.supervisor.stop(STOP_SECONDS)
        leftovers.sweep(self.settings.home_path)


@contextmanager
def running_stack(
    settings: Settings,
    *,
    simulator: bool,
    module: str = DEFINITIONS_MODULE,
    say: Say,
    stopping: Callable[[], None],
) -> Iterator[Stack]:
    """Check, set up and start the stack; on the way out stop all of it.

    `say` hears each step; `stopping` is called when the stop begins, from where on it must not be
    interrupted.

    Raises:
        PortInUseError: somebody else has a port that a part needs.
        LocalStackError: a part cannot be set up or does not start.
        SettingsError: the settings are not those of a local stack.
    """
    if settings.profile is not Profile.LOCAL or settings.stores.redis_cluster:
        raise SettingsError(
            "`up` starts local parts: it needs TRADE_ASSETS_PROFILE=local and no Redis cluster"
        )
    paths = StackPaths(settings.home_path)
    with _disk_errors_explained(), leftovers.only_one(paths.run):
        _clear_the_way(settings, say, simulator=simulator)
        stores = _stores(settings, paths, say)
        programs = stores + _programs(settings, paths, simulator=simulator, module=module)
        dagster_home = str(write_instance(paths.home))
        environment = stack_environment(settings, dagster_home, simulator=simulator)
        say(f"starting the AWS stand-in, DynamoDB and Redis ({memory_mb(settings):,} MB in all)")
        supervisor = Supervisor(programs, paths, environment)
        stack = Stack(settings, paths, programs, supervisor)
        try:
            supervisor.await_ready()
            stack.await_stores()
            say("making bucket, queues and tables")
            stack.seed_and_provision()
            stack.start_programs()
            with Retention(settings, tables=dynamodb_port(settings) is not None):
                yield stack
        finally:
            stopping()
            say("stopping (the AWS stand-in saves its state; Ctrl-C hurries)")
            stack.stop()


@contextmanager
def _disk_errors_explained() -> Iterator[None]:
    """Turn a disk that cannot be written into a message."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        raise LocalStackError(
            f"cannot write {error.filename or 'the state of the local stack'}: {error.strerror}; "
            "make room or see who may write there, or move TRADE_ASSETS_HOME"
        ) from error


def _clear_the_way(settings: Settings, say: Say, *, simulator: bool) -> None:
    if leftovers.marked_processes(settings.home_path):
        say("stopping what an earlier start left behind")
        leftovers.stop_leftovers(settings.home_path)
    for need in port_needs(settings, simulator=simulator):
        require_free(need)


def _stores(settings: Settings, paths: StackPaths, say: Say) -> list[Program]:
    python = ensure_environment(paths.home / FOLDER_NAME, say)
    if dynamodb_port(settings) is None:
        say("AWS_ENDPOINT_URL alone is set: the AWS stand-in keeps all history in memory")
        return store_programs(settings, python, None)
    forget_tables(paths.home / "ministack")
    return store_programs(
        settings, python, dynalite.ensure_installed(paths.home / dynalite.FOLDER_NAME, say)
    )


def _programs(
    settings: Settings, paths: StackPaths, *, simulator: bool, module: str
) -> list[Program]:
    port = free_port()
    paths.run.mkdir(parents=True, exist_ok=True)
    workspace = write_workspace(paths.run, port)
    programs = dagster_programs(settings, workspace, port, module)
    if simulator and is_chosen("feeds", settings.platform.only):
        paths.outbox.mkdir(parents=True, exist_ok=True)
        programs += desk_programs(paths.outbox)
    if has_tt_simulator(settings, simulator=simulator):
        programs += tt_programs()
    return programs
