"""The raw document of a snapshot: bytes of an object of the bucket, to answers and back.

An object is gzip of one JSON document: `{"manifest": {…}, "answers": [<body>, <body>]}`, every body
verbatim. The manifest has their sizes, by which the exact bytes of each come back. What stands in a
body is known to `answer_rows`; where the object lies, to `snapshot_keys`.
"""

import gzip
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import orjson
from pydantic import TypeAdapter, ValidationError

from trade_assets.errors import UnparsableFileError
from trade_assets.tt.formats.slot_times import slot_at
from trade_assets.tt.formats.snapshot import Manifest, SnapshotDocument

MAX_DOCUMENT_BYTES: Final = 256 * 1024 * 1024
"""Largest document that is unpacked: a thousand times the usual one."""

GZIP_LEVEL: Final = 6

_MANIFEST: Final = TypeAdapter(Manifest)
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BEFORE, _BETWEEN, _AFTER = b'"answers":[', b",", b"]}"


def write_document(document: SnapshotDocument) -> bytes:
    """The bytes of a document's object, gzip; the same document always makes the same bytes.

    Raises:
        UnparsableFileError: a body is no JSON, so that the document would be none.
        ValueError: the manifest does not describe the bodies, or has a time that is no UTC.
    """
    name, sizes = document.name, [len(body) for body in document.bodies]
    wrong = _wrong_time(document.manifest)
    if wrong:
        raise ValueError(f"{name}: {wrong}")
    if sizes != [answer.size for answer in document.manifest.answers]:
        raise ValueError(f"{name}: the manifest does not have the sizes of the bodies")
    for number, body in enumerate(document.bodies, 1):
        _check_body(body, number, name)
    manifest = orjson.Fragment(_MANIFEST.dump_json(document.manifest))
    answers = [orjson.Fragment(body) for body in document.bodies]
    data = orjson.dumps({"manifest": manifest, "answers": answers})
    return gzip.compress(data, GZIP_LEVEL, mtime=0)


def _check_body(body: bytes, number: int, name: str) -> None:
    # As deep as it will lie in the document, since depth is limited; and as an element of a list
    # that nothing else may be in, lest brackets and commas of two bodies make sense together.
    try:
        wrapped = orjson.loads(b"[[" + body + b"]]")
    except orjson.JSONDecodeError as error:
        raise UnparsableFileError(name, f"answer {number} is not JSON: {error}") from None
    if len(wrapped) != 1 or len(wrapped[0]) != 1:
        raise UnparsableFileError(name, f"answer {number} is not one JSON value")


def read_document(data: bytes, file_name: str) -> SnapshotDocument:
    """The document of an object's bytes, as stored or already unpacked.

    Args:
        file_name: how errors name it.

    Raises:
        UnparsableFileError: it is not a document that `write_document` makes.
    """
    text = _unpacked(data, file_name) if data.startswith(_GZIP_MAGIC) else data
    try:
        root = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnparsableFileError(file_name, f"it is not JSON: {error}") from None
    if type(root) is not dict or list(root) != ["manifest", "answers"]:
        raise UnparsableFileError(file_name, "it is no object of a manifest and answers")
    manifest = _read_manifest(root["manifest"], file_name)
    answers = root["answers"]
    if type(answers) is not list or len(answers) != len(manifest.answers):
        raise UnparsableFileError(file_name, "its answers are not those of its manifest")
    return SnapshotDocument(manifest, tuple(_bodies(text, manifest, file_name)))


def _unpacked(data: bytes, file_name: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(data, MAX_DOCUMENT_BYTES)
    except zlib.error as error:
        raise UnparsableFileError(file_name, f"it cannot be unpacked: {error}") from None
    if unpacker.eof and not unpacker.unused_data:
        return text
    if unpacker.unconsumed_tail:
        raise UnparsableFileError(file_name, f"it is larger than {MAX_DOCUMENT_BYTES} bytes")
    raise UnparsableFileError(file_name, "its packed bytes end too early or too late")


def _read_manifest(value: object, file_name: str) -> Manifest:
    try:
        manifest = _MANIFEST.validate_json(orjson.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UnparsableFileError(file_name, f"its manifest's {place}: {first['msg']}") from None
    wrong = _wrong_time(manifest)
    if wrong:
        raise UnparsableFileError(file_name, wrong)
    return manifest


def _wrong_time(manifest: Manifest) -> str | None:
    times = [manifest.slot, *(answer.received_at for answer in manifest.answers)]
    if any(time.utcoffset() != timedelta(0) for time in times):
        return "its manifest has a time that is not UTC"
    return None if slot_at(manifest.slot) == manifest.slot else "its manifest's slot is none"


def _bodies(text: bytes, manifest: Manifest, file_name: str) -> Iterator[bytes]:
    """The bodies, which end where the document ends and have the manifest's sizes."""
    sizes = [answer.size for answer in manifest.answers]
    start = len(text) - len(_AFTER) - sum(sizes) - len(_BETWEEN) * max(0, len(sizes) - 1)
    before = start - len(_BEFORE)
    if min(sizes, default=1) < 1 or before < 0 or not text.startswith(_BEFORE, before):
        raise UnparsableFileError(file_name, "its answers have not the sizes of its manifest")
    for size in sizes:
        end = start + size
        if text[end : end + 1] not in (_BETWEEN, _AFTER[:1]):
            raise UnparsableFileError(file_name, "its answers have not the sizes of its manifest")
        yield text[start:end]
        start = end + len(_BETWEEN)
