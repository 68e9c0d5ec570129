"""Bulk calls to DynamoDB: signed requests with bodies that are made once, as text.

A body of orjson signed with botocore's SigV4 costs 8 µs of CPU an item; `Table.batch_writer` costs
125. Every call is tried again here, and nowhere else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import orjson
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trade_assets.errors import DynamoUnavailableError, StoreRejectedError
from trade_assets.settings import AwsService, Settings
from trade_assets.stores.aws import TRANSIENT_CODES, aws_address, aws_session
from trade_assets.stores.retrying import Retries

BATCH_WRITE_ITEMS: Final = 25
"""Most items in one BatchWriteItem."""
BATCH_GET_KEYS: Final = 100
"""Most keys in one BatchGetItem."""
WRITERS: Final = 6
"""Requests on the way at a time. The stand-in is at its ceiling with 4; DynamoDB itself is not."""

_NOTHING_UNPROCESSED: Final = frozenset(
    {b"{}", b'{"UnprocessedItems":{}}', b'{"UnprocessedItems": {}}'}
)


Item = dict[str, dict[str, Any]]
"""An item as DynamoDB has it in JSON: by attribute, its type and value."""


class ConditionFailedError(Exception):
    """The condition of a conditional put does not hold: the stored item is newer."""


class DynamoCalls:
    """Calls of DynamoDB's JSON protocol, with retries inside a bound. Thread-safe."""

    def __init__(self, settings: Settings, retries: Retries | None = None) -> None:
        self._region = settings.stores.aws_region
        self._url = f"{aws_address(settings, AwsService.DYNAMODB)}/"
        self._session = aws_session(settings)
        self._retries = retries or Retries(settings.stores.retry_seconds)
        self._http = urllib3.PoolManager(
            maxsize=WRITERS + 2,
            timeout=urllib3.Timeout(connect=3, read=20),
            retries=urllib3.Retry(total=0),
        )
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="dynamodb")

    @property
    def url(self) -> str:
        """Where every call goes."""
        return self._url

    @property
    def retries(self) -> Retries:
        """Of every call."""
        return self._retries

    def call(self, operation: str, body: bytes) -> bytes:
        """One call, retried while it fails for a passing reason.

        Raises:
            DynamoUnavailableError: still failing when the bound was reached.
            StoreRejectedError: DynamoDB refuses the request.
            ConditionFailedError: the condition of a conditional write does not hold.
        """
        result: bytes = self._retries.policy()(self._once, operation, body)
        return result

    def put_all(self, table: str, items: Sequence[str]) -> int:
        """Put DynamoDB-JSON items, 25 a request, requests beside each other; returns the requests.

        No two items may have the same key. Throttled items are sent again.
        """
        chunks = _chunks(items, BATCH_WRITE_ITEMS)
        for _ in self.map(lambda chunk: self._put_chunk(table, chunk), chunks):
            pass
        return len(chunks)

    def delete_all(self, table: str, keys: Sequence[tuple[str, str]]) -> None:
        """Delete the items of those (pk, sk) that exist, as `put_all` puts them."""
        requests = [
            {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in keys
        ]
        chunks = _chunks(requests, BATCH_WRITE_ITEMS)
        self.map(lambda chunk: self._put_unprocessed({table: chunk}), chunks)

    def get_all(self, table: str, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """The items (DynamoDB-JSON) of those (pk, sk) that exist; consistent reads, any order."""
        found: list[Item] = []
        for chunk in self.map(
            lambda part: self._get_chunk(table, part), _chunks(keys, BATCH_GET_KEYS)
        ):
            found.extend(chunk)
        return found

    def query(
        self, request: Mapping[str, Any], what: str, limit: int | None = None
    ) -> Iterator[Item]:
        """The items (DynamoDB-JSON) that a Query finds, at most `limit`; a page at a time, of the
        request's own `Limit` if it has one.

        `what` says for errors what is being read.
        """
        body, served = dict(request), 0
        if limit is not None:
            body["Limit"] = limit
        while True:
            page = self._page(body, what)
            for item in page["Items"]:
                if served == limit:
                    return
                yield item
                served += 1
            if "LastEvaluatedKey" not in page or served == limit:
                return
            body["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Call `function` on every item beside each other; the first error is raised."""
        work = list(items)
        if len(work) == 1:
            return [function(work[0])]
        return self._retries.beside_each_other(self._pool, function, work)

    def close(self) -> None:
        """Give threads and connections back; pending retries end."""
        self._retries.abort()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.clear()

    def _page(self, request: Mapping[str, Any], what: str) -> dict[str, Any]:
        try:
            page: dict[str, Any] = orjson.loads(self.call("Query", orjson.dumps(request)))
        except StoreRejectedError as error:
            raise StoreRejectedError(f"{what}: {error}") from error
        except DynamoUnavailableError as error:
            raise DynamoUnavailableError(f"{what}: {error}") from error
        return page

    def _put_chunk(self, table: str, items: Sequence[str]) -> None:
        body = (
            '{"RequestItems":{"' + table + '":[{"PutRequest":{"Item":'
            + '}},{"PutRequest":{"Item":'.join(items) + "}}]}}"
        ).encode()  # fmt: skip
        answer = self.call("BatchWriteItem", body)
        if answer not in _NOTHING_UNPROCESSED:
            self._put_unprocessed(orjson.loads(answer).get("UnprocessedItems") or {})

    def _put_unprocessed(self, requests: Mapping[str, Any]) -> None:
        """Send what was throttled again, with growing pauses, until nothing is left."""
        pending = requests
        for attempt in self._retries.policy():
            with attempt:
                if not pending:
                    return
                body = orjson.dumps({"RequestItems": pending})
                answer = orjson.loads(self._once("BatchWriteItem", body))
                pending = answer.get("UnprocessedItems") or {}
                if pending:
                    raise DynamoUnavailableError("DynamoDB is throttling BatchWriteItem")

    def _get_chunk(self, table: str, keys: Sequence[tuple[str, str]]) -> list[Item]:
        wanted = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        request: dict[str, Any] = {table: {"Keys": wanted, "ConsistentRead": True}}
        found: list[Item] = []
        for attempt in self._retries.policy():
            with attempt:
                answer = orjson.loads(
                    self._once("BatchGetItem", orjson.dumps({"RequestItems": request}))
                )
                found.extend(answer.get("Responses", {}).get(table, []))
                request = answer.get("UnprocessedKeys") or {}
                if request:
                    raise DynamoUnavailableError("DynamoDB is throttling BatchGetItem")
        return found

    def _once(self, operation: str, body: bytes) -> bytes:
        request = AWSRequest(
            method="POST",
            url=self._url,
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            },
        )
        SigV4Auth(self._credentials(), "dynamodb", self._region).add_auth(request)
        try:
            response = self._http.request(
                "POST", self._url, body=body, headers=dict(request.headers.items())
            )
        except urllib3.exceptions.HTTPError as error:
            raise DynamoUnavailableError(
                f"DynamoDB {operation}: cannot reach {self._url}: {type(error).__name__}"
            ) from error
        if response.status == 200:
            return response.data
        raise _refusal(operation, response.status, response.data)

    def _credentials(self) -> Credentials:
        credentials = self._session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials is not None else None
        if frozen is None or frozen.access_key is None or frozen.secret_key is None:
            raise StoreRejectedError(
                "no AWS credentials found: configure the ordinary AWS credential chain, "
                "or choose TRADE_ASSETS_PROFILE=local"
            )
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _refusal(operation: str, status: int, answer: bytes) -> Exception:
    try:
        parsed = orjson.loads(answer)
    except orjson.JSONDecodeError:
        parsed = {}
    code = str(parsed.get("__type", status)).rsplit("#", 1)[-1]
    message = parsed.get("message") or parsed.get("Message") or ""
    if code == "ConditionalCheckFailedException":
        return ConditionFailedError(message)
    text = f"DynamoDB {operation}: {code}: {message}"
    if code in TRANSIENT_CODES or status >= 500:
        return DynamoUnavailableError(text)
    return StoreRejectedError(text)


def _chunks(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
