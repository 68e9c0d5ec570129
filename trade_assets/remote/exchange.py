"""One question to a remote API and its answer: redirects, and the protection before every hop.

It holds for every API: a redirect is followed within the origin and nowhere else, no credential
goes into a URL or in the clear. Which questions there are, and with which credential, is decided
by an API's client; what an answer is worth, by the `responses` judge of the question.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, NamedTuple, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from trade_assets.errors import SettingsError
from trade_assets.remote.http import Http, Request, Response
from trade_assets.remote.protection.protection import Protection
from trade_assets.remote.responses import ResponseJudge
from trade_assets.settings import LOOPBACK_HOSTS

T = TypeVar("T")

MOST_REDIRECTS: Final = 3
_SEE_OTHER: Final = 303
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"https": 443, "http": 80}
_GET: Final = "GET"


class Origin(NamedTuple):
    """Where a credential may go: scheme, host and port."""

    scheme: str
    host: str
    port: int | None


@dataclass(frozen=True)
class Question:
    """What a remote API is asked.

    Attributes:
        judge: judges the answer, and knows which credentials the question carries.
        url: absolute; of a redirect, with its query.
        query: without what every attempt adds.
        headers: with the credential.
        body: of a form; None: a GET.
    """

    judge: ResponseJudge
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """GET without a body, else POST."""
        return _GET if self.body is None else "POST"


@dataclass(frozen=True)
class AttemptExtras:
    """What an API wants anew in every attempt, retries and hops too: a request id, a signature."""

    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class _Read(Generic[T]):
    value: T


def _no_extras(_: Question) -> AttemptExtras:
    return AttemptExtras()


class Exchange:
    """Asks one API through its protection, and follows redirects. Thread-safe."""

    def __init__(
        self,
        base_url: str,
        protection: Protection,
        http: Http,
        *,
        setting: str,
        anonymous: bool = False,
        each_attempt: Callable[[Question], AttemptExtras] = _no_extras,
    ) -> None:
        """Nothing is asked yet.

        Args:
            base_url: of the API; the origin of every question.
            http: stays the caller's to close.
            setting: what people call the base URL, for the error.
            anonymous: no question carries a credential. Only then may the base URL be plain http
                to another machine.
            each_attempt: called before every request.

        Raises:
            SettingsError: a base URL that would send credentials in the clear.
        """
        self._base_url = base_url.rstrip("/")
        self._protection = protection
        self._http = http
        self._each_attempt = each_attempt
        self._origin = _origin(self._base_url)
        self._keeps_secrets = self._origin.scheme == "https" or self._origin.host in LOOPBACK_HOSTS
        if not (anonymous or self._keeps_secrets):
            raise SettingsError(
                f"{setting}: {self._origin.host} must be reached with https, because every "
                "request carries a credential"
            )

    def url(self, path: str) -> str:
        """The URL of a path of the API, which begins without a slash."""
        return f"{self._base_url}/{path}"

    def ask(
        self, question: Question, read: Callable[[Response], T], deadline: float | None = None
    ) -> T:
        """The answer as `read` reads it. `deadline`: of `time.monotonic()`.

        An answer that `read` refuses with a transient error is asked for again, within the bounds
        of the protection. A redirect is a request of its own to it, as it is to the API, but no
        new call: no more than `attempts + MOST_REDIRECTS` requests go out.

        Raises:
            RemoteRejectedError: the API refuses, or sends us to another origin; or nothing was
                sent, because the question is of another origin, or a credential would go into a
                URL or in the clear.
            RemoteUnavailableError: it failed, answered nonsense, or was not asked.
        """
        self._check_target(question)
        # One call, however many hops: each has what the former ones left of its time and retries.
        end = time.monotonic() + self._protection.limits.call_seconds
        end = end if deadline is None else min(end, deadline)
        sent = 0

        def attempt(timeout: float) -> "_Read[T] | Question":
            nonlocal sent
            sent += 1
            return self._attempt(question, read, timeout)

        for hops in range(1 + MOST_REDIRECTS):
            _check_url(question, question.query)
            left = self._protection.limits.attempts - (sent - hops)
            outcome = self._protection.call(attempt, deadline=end, attempts=left)
            if isinstance(outcome, _Read):
                return outcome.value
            question = outcome
        raise question.judge.malformed(f"more than {MOST_REDIRECTS} redirects")

    def _check_target(self, question: Question) -> None:
        """Next pages can be links, hence the API's words too."""
        if not self._is_own(question.url):
            raise question.judge.rejected("its URL is not of the API's origin, so it is not asked")
        if question.judge.hidden and not self._keeps_secrets:
            raise question.judge.rejected("a credential would go in the clear, so it is not asked")

    def _is_own(self, url: str) -> bool:
        try:
            return _origin(url) == self._origin
        except ValueError:
            return False

    def _attempt(
        self, question: Question, read: Callable[[Response], T], timeout: float
    ) -> "_Read[T] | Question":
        extras = self._each_attempt(question)
        query = {**question.query, **extras.query}
        _check_url(question, query)
        headers = {**question.headers, **extras.headers}
        request = Request(question.method, question.url, headers, query, question.body)
        response = self._http.send(request, timeout)
        if response.status == _SEE_OTHER or (
            response.status in _REDIRECTS and question.method == _GET
        ):
            return self._redirected(question, response, extras)
        return _Read(read(response))

    def _redirected(
        self, question: Question, response: Response, extras: AttemptExtras
    ) -> Question:
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
        url = _same_host(question.url, target, without=extras.query)
        return replace(question, url=url, query={}, headers=headers, body=None)


def _check_url(question: Question, query: Mapping[str, str]) -> None:
    """Page keys and redirects are the API's words; a credential among them would get into logs.

    Raises:
        RemoteRejectedError: there is one.
    """
    if question.judge.is_secret_in(f"{question.url}?{urlencode(query)}".encode()):
        raise question.judge.rejected("a credential would be in the URL, so it is not asked for")


def _same_host(url: str, target: SplitResult, without: Mapping[str, str]) -> str:
    """The target on the host of `url` as we wrote it.

    Of its query those names are left out that the next attempt adds anew, should it repeat them.
    """
    own = urlsplit(url)
    pairs = parse_qsl(target.query, keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] not in without])
    return urlunsplit((own.scheme, own.netloc, target.path, query, ""))


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    return Origin(
        parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    )
