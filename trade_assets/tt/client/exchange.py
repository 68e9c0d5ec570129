"""One question to TT and its answer: request ids, redirects, and the protection before every hop.

Which questions there are, and with which credential, is not decided here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, NamedTuple, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from trade_assets.errors import SettingsError
from trade_assets.remote.http import Http, Request, Response
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import LOOPBACK_HOSTS, Settings
from trade_assets.tt.client.request_id import new_request_id
from trade_assets.tt.client.responses import Judge

T = TypeVar("T")

MOST_REDIRECTS: Final = 3
_SEE_OTHER: Final = 303
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"https": 443, "http": 80}
_GET: Final = "GET"
_REQUEST_ID: Final = "requestId"


class Origin(NamedTuple):
    """Where a credential may go: scheme, host and port."""

    scheme: str
    host: str
    port: int | None


@dataclass(frozen=True)
class Question:
    """What TT is asked.

    Attributes:
        judge: reads the answer.
        url: of a redirect, with its query.
        query: without a request id.
        headers: with the credential.
        body: of a form; None: a GET.
    """

    judge: Judge
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """GET without a body, else POST."""
        return _GET if self.body is None else "POST"


@dataclass(frozen=True)
class _Read(Generic[T]):
    value: T


class Exchange:
    """Asks through the protection layer, and follows redirects. Thread-safe."""

    def __init__(self, settings: Settings, protection: Protection, http: Http) -> None:
        """Raise SettingsError for a base URL that would send credentials in the clear."""
        self._settings = settings
        self._protection = protection
        self._http = http
        self._origin = _origin(settings.tt_url)
        if self._origin.scheme != "https" and self._origin.host not in LOOPBACK_HOSTS:
            raise SettingsError(
                f"tt_base_url: {self._origin.host} must be reached with https, because every "
                "request carries a credential"
            )

    def url(self, path: str) -> str:
        """The URL of `<service>/<endpoint>` in the environment of the settings; all lowercase."""
        service, _, endpoint = path.partition("/")
        environment = self._settings.tt.environment.value
        return f"{self._settings.tt_url}{f'/{service}/{environment}/{endpoint}'.lower()}"

    def ask(
        self, question: Question, read: Callable[[Response], T], deadline: float | None = None
    ) -> T:
        """The answer as `read` reads it. `deadline`: of `time.monotonic()`.

        An answer that `read` refuses with a transient error is asked for again, within the bounds
        of the protection. A redirect is a request of its own to it, as it is to TT, but no new
        call: no more than `attempts + MOST_REDIRECTS` requests go out.

        Raises:
            RemoteRejectedError: TT refuses, or sends us to another origin.
            RemoteUnavailableError: TT failed, answered nonsense, or was not asked.
        """
        # One call, however many hops: each has what the former ones left of its time and retries.
        end = time.monotonic() + self._protection.limits.call_seconds
        end = end if deadline is None else min(end, deadline)
        sent = 0

        def attempt(timeout: float) -> "_Read[T] | Question":
            nonlocal sent
            sent += 1
            return self._attempt(question, read, timeout)

        for hops in range(1 + MOST_REDIRECTS):
            _check_url(question)
            left = self._protection.limits.attempts - (sent - hops)
            outcome = self._protection.call(attempt, deadline=end, attempts=left)
            if isinstance(outcome, _Read):
                return outcome.value
            question = outcome
        raise question.judge.malformed(f"more than {MOST_REDIRECTS} redirects")

    def _attempt(
        self, question: Question, read: Callable[[Response], T], timeout: float
    ) -> "_Read[T] | Question":
        query = {**question.query, _REQUEST_ID: new_request_id(self._settings)}
        request = Request(question.method, question.url, question.headers, query, question.body)
        response = self._http.send(request, timeout)
        if response.status == _SEE_OTHER or (
            response.status in _REDIRECTS and question.method == _GET
        ):
            return self._redirected(question, response)
        return _Read(read(response))

    def _redirected(self, question: Question, response: Response) -> Question:
        """The question to ask instead: a GET, of the same origin."""
        location = response.headers.get("Location")
        if not location:
            raise question.judge.malformed("a redirect to nowhere", response.data)
        try:
            target = urlsplit(urljoin(question.url, location))
            origin = _origin(target.geturl())
        except ValueError:
            raise question.judge.malformed("a redirect to no URL") from None
        if origin != self._origin:
            # The host alone: the rest of the URL may be anything.
            raise question.judge.rejected(
                f"redirected to another origin ({origin.host[:100]}), which is not followed",
                response.status,
            )
        headers = {
            name: value
            for name, value in question.headers.items()
            if name.lower() != "content-type"
        }
        return replace(
            question, url=_same_host(question.url, target), query={}, headers=headers, body=None
        )


def _check_url(question: Question) -> None:
    """Page keys and redirects are TT's words; a credential among them would get into every log.

    Raises:
        RemoteRejectedError: there is one.
    """
    if question.judge.is_secret_in(f"{question.url}?{urlencode(question.query)}".encode()):
        raise question.judge.rejected("a credential would be in the URL, so it is not asked for")


def _same_host(url: str, target: SplitResult) -> str:
    """The target on the host of `url` as we wrote it, without the request id that it may repeat."""
    own = urlsplit(url)
    pairs = parse_qsl(target.query, keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] != _REQUEST_ID])
    return urlunsplit((own.scheme, own.netloc, target.path, query, ""))


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    return Origin(
        parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    )
