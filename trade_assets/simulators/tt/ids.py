"""Identifiers as TT makes them, drawn from words: the same words, the same identifier."""

from base64 import b64encode
from hashlib import blake2b
from typing import Final
from uuid import UUID

_TOP_BIT: Final = 1 << 63


def _digest(words: tuple[object, ...], size: int) -> bytes:
    return blake2b("\x1f".join(map(str, words)).encode(), digest_size=size).digest()


def big_number(*words: object, overflows: bool = False) -> str:
    """A 64-bit number as text; with `overflows` one that no signed 64-bit integer holds."""
    number = int.from_bytes(_digest(words, 8))
    return str(number | _TOP_BIT if overflows else number)


def short_number(*words: object) -> str:
    """Eight digits."""
    return str(10_000_000 + int.from_bytes(_digest(words, 8)) % 90_000_000)


def guid(*words: object) -> str:
    """A random-looking UUID."""
    return str(UUID(bytes=_digest(words, 16), version=4))


def exec_id(*words: object) -> str:
    """22 characters, `+` and `/` among them, as TT's execution ids."""
    return b64encode(_digest(words, 16)).decode().rstrip("=")
