"""Durable masters of what the AWS stand-in saves only at a clean stop: secrets and parameters.

One file, for its owner's eyes alone. Each start of the stand-in is seeded from it; what changes in
the stand-in meanwhile is taken over into it. No error and no log line here holds a value.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.errors import LocalStackError, TradeAssetsError
from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, secretsmanager_client, ssm_client

FILE_NAME: Final = "secrets.json"
SECRETS: Final = "secrets"
PARAMETERS: Final = "parameters"

Held = dict[str, dict[str, Any]]
"""By kind (`SECRETS`, `PARAMETERS`) and name: a secret's text; a parameter's value and type."""


@dataclass
class Masters:
    """The masters in a file, and the stand-in that is to hold the same.

    Attributes:
        settings: where the stand-in is.
        path: of the file; it is made, of mode 0600, once there is something to keep.
    """

    settings: Settings
    path: Path
    _seen: Held = field(default_factory=lambda: _nothing(), init=False, repr=False)

    def seed(self) -> None:
        """Put into the stand-in what the file holds and the stand-in lacks or has otherwise.

        Raises:
            StoreUnavailableError: the stand-in is away.
            LocalStackError: the file is damaged; names it.
        """
        wanted = self._read()
        with _Clients(self.settings) as clients:
            held = clients.all()
            for name, text in wanted[SECRETS].items():
                if held[SECRETS].get(name) != text:
                    clients.put_secret(name, text, there=name in held[SECRETS])
            for name, parameter in wanted[PARAMETERS].items():
                if held[PARAMETERS].get(name) != parameter:
                    clients.put_parameter(name, parameter)
            self._seen = clients.all()

    def capture(self) -> bool:
        """Take over what changed in the stand-in since the last look; whether something did.

        What somebody changed in the file meanwhile stays there, for the next start.

        Raises:
            StoreUnavailableError: the stand-in is away.
            LocalStackError: the file is damaged; names it.
        """
        with _Clients(self.settings) as clients:
            held = clients.all()
        if held == self._seen:
            return False
        kept = self._read()
        for kind, items in held.items():
            before = self._seen[kind]
            for name in before.keys() - items.keys():
                kept[kind].pop(name, None)
            kept[kind] |= {name: item for name, item in items.items() if item != before.get(name)}
        self._write(kept)
        self._seen = held
        return True

    def _read(self) -> Held:
        try:
            found = orjson.loads(self.path.read_bytes())
            return _nothing() | {kind: dict(found[kind]) for kind in _nothing() if kind in found}
        except FileNotFoundError:
            return _nothing()
        except (ValueError, TypeError):
            raise LocalStackError(
                f"{self.path} is no JSON object of {SECRETS} and {PARAMETERS}; "
                "mend it, or remove it to begin with new ones"
            ) from None

    def _write(self, held: Held) -> None:
        """In one step: a kill leaves the old file or the new one."""
        part = self.path.with_name(f".{self.path.name}.part")
        with suppress(FileNotFoundError):
            part.unlink()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)


def _nothing() -> Held:
    return {SECRETS: {}, PARAMETERS: {}}


class _Clients:
    """The stand-in's answers, with its errors as ours."""

    def __init__(self, settings: Settings) -> None:
        quick = {"retries": {"total_max_attempts": 1}, "connect_timeout": 1, "read_timeout": 5}
        self._secrets = secretsmanager_client(settings, **quick)
        self._parameters = ssm_client(settings, **quick)

    def all(self) -> Held:
        found = _nothing()
        for page in self._secrets.get_paginator("list_secrets").paginate():
            for item in page["SecretList"]:
                answer = self._secrets.get_secret_value(SecretId=item["Name"])
                if "SecretString" in answer:  # those of bytes nobody here makes
                    found[SECRETS][item["Name"]] = answer["SecretString"]
        pages = self._parameters.get_paginator("get_parameters_by_path").paginate(
            Path="/", Recursive=True, WithDecryption=True
        )
        for page in pages:
            for item in page["Parameters"]:
                found[PARAMETERS][item["Name"]] = {"value": item["Value"], "type": item["Type"]}
        return found

    def put_secret(self, name: str, text: str, *, there: bool) -> None:
        if there:
            self._secrets.put_secret_value(SecretId=name, SecretString=text)
        else:
            self._secrets.create_secret(Name=name, SecretString=text)

    def put_parameter(self, name: str, parameter: Mapping[str, str]) -> None:
        self._parameters.put_parameter(
            Name=name, Value=parameter["value"], Type=parameter["type"], Overwrite=True
        )

    def __enter__(self) -> "_Clients":
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        self._secrets.close()
        self._parameters.close()
        if isinstance(error, BotoCoreError | ClientError):
            raise as_store_error(error, "secrets and parameters of the AWS stand-in") from None


def captured(masters: Masters) -> None:
    """`capture`, where a stand-in that is away is not worth a word: it comes back."""
    with suppress(TradeAssetsError):
        masters.capture()
