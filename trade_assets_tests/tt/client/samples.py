"""Answers as TT gives them, and a credential that is nobody's."""

from typing import Any

from pydantic import SecretStr

from trade_assets.remote.secrets import Credential

ENVIRONMENT = "ext_prod_sim"
TOKEN_PATH = f"/ttid/{ENVIRONMENT}/token"
ORDERS_PATH = f"/ttledger/{ENVIRONMENT}/orders"
FILLS_PATH = f"/ttledger/{ENVIRONMENT}/fills"
POSITION_PATH = f"/ttmonitor/{ENVIRONMENT}/position"
START_NS = 1_747_328_540_354_606_867

Reply = dict[str, Any]


def credential(number: int = 1) -> Credential:
    return Credential(
        SecretStr(f"key-{number}-5f2c9a7e-4f1b"), SecretStr(f"secret-{number}-c0ffee-77aa")
    )


def token_reply(seconds: object = "86400") -> Reply:
    """Another token every time."""
    return {
        "json": {
            "access_token": "bearer-{n}-9b1deb4d",
            "token_type": "bearer",
            "seconds_until_expiry": seconds,
        }
    }


def order(number: int, **fields: object) -> dict[str, object]:
    return {
        "orderId": f"order-{number}",
        "instrumentId": "8092262517946017060",
        "side": "1",
        "orderType": "2",
        "price": 110.171875,
        "orderQty": 80.0,
        "dateTime": START_NS + number,
        **fields,
    }


def orders_reply(*rows: object, next_key: str | None = None) -> Reply:
    page: dict[str, object] = {"orders": list(rows), "lastPage": "true", "status": "Ok"}
    if next_key is not None:
        page |= {"lastPage": "false", "nextPageKey": next_key}
    return {"json": page}


def fill(number: int, time_ns: int = START_NS) -> dict[str, object]:
    return {
        "uniqueExecId": f"fill-{number}",
        "instrumentId": "8092262517946017060",
        "side": "1",
        "lastPx": 110.171875,
        "lastQty": 5.0,
        "timeStamp": time_ns,
    }


def fills_reply(*rows: object) -> Reply:
    return {"json": {"fills": list(rows), "lastPage": "true", "status": "Ok"}}


def error_reply(status: int, message: str = "no", **headers: str) -> Reply:
    body = {"status": "Error", "statusCode": status, "status_message": message}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status": status, "headers": names, "json": body}
