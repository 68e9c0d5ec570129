"""The worked examples of docs/adding.md run as they stand there."""

import re
import sys
from collections.abc import Mapping
from datetime import date
from types import ModuleType, SimpleNamespace

import pytest
from pydantic import SecretStr

from trade_assets.datasets.dataset import to_records
from trade_assets.feeds.derived import declarations
from trade_assets.remote.secrets import Credential
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.support.parts import CHECKOUT
from trade_assets_tests.support.scripted_server import running_server

BLOCK = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(BLOCK.findall((CHECKOUT / "docs" / "adding.md").read_text()))
"""Code of the page by its file."""

MODULES = [path for path in BLOCKS if not (CHECKOUT / path).exists()]
"""Files that the page adds; the other blocks are parts of modules that are there."""

Page = Mapping[str, ModuleType]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """The modules of the page by their file, as if the package had them."""
    modules: dict[str, ModuleType] = {}
    for path in MODULES:
        module = ModuleType(path.removesuffix(".py").replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(BLOCKS[path], path, "exec"), vars(module))
        modules[path] = module
    return modules


def test_the_tests_of_the_page_pass(page: Page) -> None:
    ran = 0
    for path, module in page.items():
        if path.startswith("trade_assets_tests/"):
            for name, test in vars(module).items():
                if name.startswith("test_"):
                    test()
                    ran += 1
    assert ran >= 6


def test_what_the_page_declares_is_what_the_stores_take(page: Page) -> None:
    margins = page["trade_assets/feeds/formats/margins.py"].MARGINS
    name = "margins_20250717_133000.csv"
    assert margins.file_pattern.fullmatch(name)
    charged = margins.parse(b"Key,INITIAL,MAINTENANCE\nXCME.ZN.SEP25,2035,1850\n", name)
    known = to_records(margins, charged, f"feeds/{margins.path}/dt=2025-07-17/hh=18/{name}")
    assert dict(known.schema) == margins.record_schema

    pure = page["trade_assets/feeds/derived/margin_use.py"]
    scope = {**vars(declarations), **vars(pure), "MARGINS": margins}
    exec(BLOCKS["trade_assets/feeds/derived/declarations.py"], scope)
    derived, origin = scope["MARGIN_USE"], scope["SPOT_RISK"]
    header = b"Key,BID,ASK,STRIKE,ITYPE,POS.POSITION\n"
    data = header + b"XCME.ZN.SEP25,110,111,,F,-3\nXCME.ZF.SEP25,110,111,,F,0\n"
    risk = origin.parse(data, "bav_analysis_20250717_143331.csv")
    records = to_records(origin, risk, "feeds/actant/spot_risk/any")
    assert derived.inputs["margins"].keys(records) == ["XCME.ZN.SEP25"]
    result = derived.compute(records, {"margins": known})
    assert dict(result.schema) == derived.record_schema
    assert result["margin_use_usd"].to_list() == [6105.0]
    assert derived.figures(result) == {"held": 1, "without_margin": 0}


@pytest.mark.integration
def test_the_client_of_the_page_asks(page: Page, settings: Settings) -> None:
    key = "a-secret-c0ffee77"
    made = page["trade_assets/rates/client/rates_client.py"]
    credentials = SimpleNamespace(
        get=lambda: Credential(SecretStr("a-key-5f2c9a7e"), SecretStr(key))
    )
    redis_client = connect(settings)
    with running_server() as server:
        server.script(
            {
                "/yields": [
                    {"status": 429, "headers": {"Retry-After": "0"}},
                    {"json": {"yields": []}},
                ]
            }
        )
        rates = SimpleNamespace(base_url=server.url, requests_per_second=2, requests_per_day=5_000)
        named = SimpleNamespace(rates=rates, namespace=settings.namespace)
        client = made.RatesClient(named, redis_client, credentials)
        assert client.yields(date(2025, 11, 21)) == b'{"yields": []}'
        client.close()
        assert [seen.query for seen in server.seen()] == [{"date": "2025-11-21"}] * 2
        assert server.seen()[0].headers["authorization"] == f"Bearer {key}"
    assert client.protection.state().budget_used == 2
    disconnect(redis_client)
