"""The client: what of TT can be asked, as methods. Everything goes through one protection."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from trade_assets.errors import RemoteRejectedError
from trade_assets.logs import get_logger
from trade_assets.remote.exchange import Question
from trade_assets.remote.http import Http, Response
from trade_assets.remote.protection.protection import Protection
from trade_assets.remote.responses import ResponseJudge
from trade_assets.remote.secrets import CredentialSource, SecretsManagerCredentials
from trade_assets.settings import Settings
from trade_assets.tt.client import endpoints
from trade_assets.tt.client.answers import Answer, FillAnswers, T
from trade_assets.tt.client.endpoints import Endpoint, Row
from trade_assets.tt.client.pages import FILLS_PER_ANSWER, pages_by_key, pages_by_time
from trade_assets.tt.client.payloads import read_payload
from trade_assets.tt.client.token import Token, ask_for_token
from trade_assets.tt.client.token_cache import TokenCache
from trade_assets.tt.client.token_provider import TokenProvider
from trade_assets.tt.client.tt_exchange import TtExchange
from trade_assets.tt.formats.row_models import Fill, Instrument, Order, Position
from trade_assets.tt.key_tiers import api_limits

if TYPE_CHECKING:
    import redis

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_ID_DIGITS: Final = 40

_log = get_logger(__name__)


class TtClient:
    """Asks TT, within its limits. Thread-safe; one per process.

    Every method takes `deadline`, in seconds of `time.monotonic()`: when all of it must be over.

    Raises (every method):
        RemoteRejectedError: TT refuses (with its own message and HTTP status).
        CredentialsError: it does not accept our key and secret, or there are none.
        RemoteUnavailableError: it cannot be reached or failed; of this ThrottledError,
            MalformedAnswerError (with the bytes), and NotAskedError: nothing was sent, because the
            breaker is open, the budget is spent, or Redis, which counts, is away.

    Attributes:
        protection: what every request goes through.
    """

    def __init__(
        self,
        settings: Settings,
        redis_client: "redis.Redis",
        *,
        credentials: CredentialSource | None = None,
        protection: Protection | None = None,
        clock: Callable[[], float] = time.time,
        fills_per_answer: int = FILLS_PER_ANSWER,
    ) -> None:
        """Nothing is asked yet.

        Args:
            redis_client: of `stores.redis.client.connect`; stays the caller's to close.
            credentials: default: the secret of the settings, in Secrets Manager.
            protection: default: one with the limits of the settings' tier.
            fills_per_answer: with so many fills an answer may not be the last one.

        Raises:
            SettingsError: the base URL is neither https nor of this machine.
        """
        self.protection = protection or Protection(api_limits(settings.tt), redis_client)
        self._clock = clock
        self._fills_per_answer = fills_per_answer
        self._http = Http()
        self._exchange = TtExchange(settings, self.protection, self._http)
        self._tokens = TokenProvider(
            credentials or SecretsManagerCredentials(settings, settings.tt_secret_name),
            TokenCache(settings, redis_client, clock),
            lambda credential, deadline: ask_for_token(
                self._exchange, credential, deadline, self._clock
            ),
            clock,
        )

    def orders(self, *, deadline: float | None = None) -> tuple[Answer[Order], ...]:
        """All working orders, in as many answers as there are pages."""
        return self._listed(endpoints.ORDERS, {}, deadline)

    def fills(self, since_ns: int, *, deadline: float | None = None) -> FillAnswers:
        """All fills at or after a time (epoch ns, inclusive). See `FillAnswers` and `pages`."""

        def ask(start_ns: int) -> Answer[Fill]:
            return self._answer(endpoints.FILLS, {"minTimestamp": str(start_ns)}, deadline)

        return pages_by_time(ask, since_ns, page_size=self._fills_per_answer)

    def positions(self, *, deadline: float | None = None) -> tuple[Answer[Position], ...]:
        """All positions, with the only prices that TT gives."""
        return self._listed(endpoints.POSITIONS, {}, deadline)

    def instrument(
        self, instrument_id: str, *, deadline: float | None = None
    ) -> Answer[Instrument]:
        """One instrument, by TT's id of it.

        Raises:
            RemoteRejectedError: also, without status and without asking: it is no id.
        """
        # It becomes a part of a path.
        if not (instrument_id.isascii() and instrument_id.isdigit()) or (
            len(instrument_id) > _ID_DIGITS
        ):
            raise RemoteRejectedError(f"{instrument_id[:_ID_DIGITS]!r} is no id of an instrument")
        endpoint = endpoints.INSTRUMENT
        endpoint = replace(endpoint, path=f"{endpoint.path}/{instrument_id}")
        return self._answer(endpoint, {}, deadline)

    def markets(self, *, deadline: float | None = None) -> tuple[Answer[Row], ...]:
        """All markets."""
        return self._listed(endpoints.MARKETS, {}, deadline)

    def products(self, market_id: str, *, deadline: float | None = None) -> tuple[Answer[Row], ...]:
        """The products of a market."""
        return self._listed(endpoints.PRODUCTS, {"marketId": market_id}, deadline)

    def instruments(
        self, product_id: str, *, deadline: float | None = None
    ) -> tuple[Answer[Instrument], ...]:
        """The instruments of a product."""
        return self._listed(endpoints.INSTRUMENTS, {"productId": product_id}, deadline)

    def start_of_day(self, *, deadline: float | None = None) -> tuple[Answer[Row], ...]:
        """The start-of-day positions."""
        return self._listed(endpoints.START_OF_DAY, {}, deadline)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listed(
        self, endpoint: Endpoint[T], query: Mapping[str, str], deadline: float | None
    ) -> tuple[Answer[T], ...]:
        def ask(key: str | None) -> Answer[T]:
            page = {} if key is None else {"nextPageKey": key}
            return self._answer(endpoint, {**query, **page}, deadline)

        return pages_by_key(ask)

    def _answer(
        self, endpoint: Endpoint[T], query: Mapping[str, str], deadline: float | None
    ) -> Answer[T]:
        """One answer. A token or key that TT no longer accepts is replaced, once."""
        token = self._tokens.current(deadline)
        try:
            return self._asked(endpoint, query, deadline, token)
        except RemoteRejectedError as error:
            if not self._is_outdated(token, error.status):
                raise
            _log.info("TT session is stale", path=endpoint.path, status=error.status)
        token = self._tokens.current(deadline, stale=token)
        return self._asked(endpoint, query, deadline, token)

    def _is_outdated(self, token: Token, status: int | None) -> bool:
        """Whether a refusal is the token's fault: it is stale, or its key was rotated away."""
        if status == _UNAUTHORIZED:
            return True
        return status == _FORBIDDEN and self._tokens.is_rotated(token)

    def _asked(
        self,
        endpoint: Endpoint[T],
        query: Mapping[str, str],
        deadline: float | None,
        token: Token,
    ) -> Answer[T]:
        judge = ResponseJudge(f"TT {endpoint.path}", token.hidden)

        def read(response: Response) -> Answer[T]:
            payload = read_payload(judge, response, endpoint.fault)
            return Answer(
                path=endpoint.path,
                query=query,
                received_at=datetime.fromtimestamp(self._clock(), UTC),
                data=response.data,
                payload=payload,
                rows_name=endpoint.rows_name,
                read_row=endpoint.read_row,
            )

        headers = {"Accept": "application/json", **token.headers}
        question = Question(judge, self._exchange.url(endpoint.path), query, headers)
        return self._exchange.ask(question, read, deadline)
