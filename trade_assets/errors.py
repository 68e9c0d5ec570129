"""The errors this project raises, and which of them are worth another try.

::

    TradeAssetsError
    ├── PermanentError            another try with the same input ends the same
    │   ├── SettingsError         a setting is missing, malformed or not allowed in this profile
    │   ├── UnknownFeedError      no feed of the registry claims this file or name
    │   ├── UnknownPlaceError     a page of records that nobody has been given is asked for
    │   ├── UnparsableFileError   a file as a whole cannot be read: it belongs in quarantine
    │   ├── SymbolError           a symbol names no instrument, or an instrument has no such name
    │   ├── PriceError            a text is no price in its notation, or a price has no such text
    │   ├── ObjectMissingError    an object that was announced is not in the bucket
    │   ├── StoreRejectedError    a store understood the request and refuses it
    │   └── RemoteRejectedError   a remote API understood the request and refuses it
    │       └── CredentialsError  there is no usable credential for a remote API
    ├── TransientError            the same call may succeed later: retried, within a bound
    │   ├── StoreUnavailableError a store cannot be reached, is throttling, or failed on its side
    │   │   ├── RedisUnavailableError
    │   │   └── DynamoUnavailableError
    │   └── RemoteUnavailableError a remote API cannot be reached, or failed on its side
    │       ├── MalformedAnswerError it answered something that is not what it promises
    │       ├── ThrottledError    it says that we ask too often
    │       └── NotAskedError     we did not ask: it would have been too much, or in vain
    │           ├── BudgetSpentError the day's requests are used up
    │           └── BreakerOpenError it failed too often lately; nobody asks until it is probed
    └── LocalStackError           a local part cannot be set up or started; says what to do
        └── PortInUseError        somebody else listens on a port that a part needs

Nothing else belongs here: no handling, no logging.
"""


class TradeAssetsError(Exception):
    """Root of every error that this project raises on purpose."""


class PermanentError(TradeAssetsError):
    """Another try with the same input ends the same way."""


class SettingsError(PermanentError):
    """A setting is missing, malformed, or not allowed in the chosen profile."""


class UnknownFeedError(PermanentError):
    """No feed of the registry claims this file name, key or feed name."""


class UnknownPlaceError(PermanentError):
    """A text that should say where a page of records begins says nothing of the kind."""


class UnparsableFileError(PermanentError):
    """A file cannot be read as its feed's format at all; it belongs in quarantine.

    Attributes:
        file_name: the file as the desk named it.
        reason: what is wrong, in words for the person who will look at the file.
        rows: line numbers (1 is the header) that show it; empty if it is about the whole file.
    """

    def __init__(self, file_name: str, reason: str, rows: tuple[int, ...] = ()) -> None:
        super().__init__(f"{file_name}: {reason}")
        self.file_name = file_name
        self.reason = reason
        self.rows = rows


class SymbolError(PermanentError):
    """A symbol names no instrument of the desk, or an instrument has no name in a notation."""


class PriceError(PermanentError):
    """A text is no price in its notation, or a notation cannot hold a price.

    Attributes:
        text: the text, or the price as a decimal; cut where it is longer than any price.
        notation: the notation in which it should have been read or written.
        reason: what is wrong with it.
    """

    def __init__(self, text: str, notation: str, reason: str) -> None:
        super().__init__(f"{text!r} {reason} ({notation})")
        self.text = text
        self.notation = notation
        self.reason = reason


class ObjectMissingError(PermanentError):
    """An object that was announced or listed is not in the bucket (any more)."""


class StoreRejectedError(PermanentError):
    """A store understood the request and refuses it (validation, access, missing table)."""


class RemoteRejectedError(PermanentError):
    """A remote API understood the request and refuses it; the message is the server's own.

    Attributes:
        status: HTTP status of the answer, or None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class CredentialsError(RemoteRejectedError):
    """There is no usable credential for a remote API: missing, malformed, or not accepted."""


class TransientError(TradeAssetsError):
    """The same call may succeed later. Retries are bounded by the caller's deadline."""


class StoreUnavailableError(TransientError):
    """A store cannot be reached, throttles, or failed on its side."""


class RedisUnavailableError(StoreUnavailableError):
    """It is Redis."""


class DynamoUnavailableError(StoreUnavailableError):
    """It is DynamoDB."""


class RemoteUnavailableError(TransientError):
    """A remote API cannot be reached, answers too late, or failed on its side."""


class MalformedAnswerError(RemoteUnavailableError):
    """A remote API answered something that is not what it promises.

    Attributes:
        data: the bytes as they came.
    """

    def __init__(self, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


class ThrottledError(RemoteUnavailableError):
    """A remote API says that it is asked too often.

    Attributes:
        retry_after: seconds that it asks to wait; None where it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotAskedError(RemoteUnavailableError):
    """A remote API was not asked at all, for its own and our protection."""


class BudgetSpentError(NotAskedError):
    """The day's requests to a remote API are used up."""


class BreakerOpenError(NotAskedError):
    """A remote API failed too often lately: nobody asks until a probe has succeeded."""


class LocalStackError(TradeAssetsError):
    """A part of the local stack cannot be set up or started; the message says what to do."""


class PortInUseError(LocalStackError):
    """Somebody else listens on a port that a local part needs."""
