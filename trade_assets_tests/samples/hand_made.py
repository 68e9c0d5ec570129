"""Small files written out by hand, with the oddities of the formats that the simulators leave out.

Layouts are those of FORMATS, values are made up; nothing of the product is used, so that neither a
parser nor a simulator is compared with itself.
"""

import json
from typing import Any, Final

RISK_HEADER: Final = (
    "Key,BID,ASK,STRIKE,ITYPE,ADJTHEOR,IVBID,IVASK,IVAVERAGE,POS.POSITION,POS.STARTOFDAYPOS,"
    "POS.PREMIUM,POS.PRICE,POS.MARKETVALUE,UTOTAL.PREMIUM,UTOTAL.YESTERDAYPL"
)
RISK_TYPES: Final = (
    "Type,VAR_PRICE,VAR_PRICE,VAR_PRICE,VAR_STRING,VAR_DOUBLE,VAR_DOUBLE,VAR_DOUBLE,VAR_DOUBLE,"
    "VAR_INT32,VAR_INT32,VAR_DOUBLE,VAR_DOUBLE,VAR_DOUBLE,VAR_DOUBLE,VAR_DOUBLE"
)
SOD_HEADER: Final = (
    "ACCOUNT,UNDERLYING,ASSET,RUN_DATE,PRODUCT_CODE,LONG_SHORT,PUT_CALL,STRIKE_PRICE,QUANTITY,"
    "EXPIRE_DATE,LOT_SIZE,PRICE_TODAY,IS_AMERICAN"
)
LEDGER_HEADER: Final = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price"
ZN, ZF, ZB = (
    f"XCMEFFDPSX202509{day}U0{root}" for day, root in ((19, "ZN"), (30, "ZF"), (19, "ZB"))
)


def hand_made() -> dict[str, bytes]:
    """The files by their path among the samples."""
    return {
        "actant/bav_analysis_20250718_101600.csv": _lines(*_risk_rows()),
        # A byte order mark, lines as Windows ends them, and blank ones.
        "actant/bav_analysis_20250718_101601.csv": b"\xef\xbb\xbf"
        + _lines(*_risk_rows()[:2], "", *_risk_rows()[2:], "  ").replace(b"\n", b"\r\n"),
        # Nine columns, without the positions.
        "actant/bav_analysis_20250718_101602_chunk_03_of_16.csv": _lines(
            *(",".join(row.split(",")[:9]) for row in _risk_rows())
        ),
        "actant/vtexp_20250718_101600.csv": _lines(
            "symbol,vtexp", "XCME.ZN.N.G.21JUL25,1.2", "XCME.ZN.N.G.22JUL25,2.5E0", "",
            "XCME.ZN.N.G.23JUL25,.75", "XCME.ZN.N.G.23JUL25,3.125",
        ),
        "actant/HandMadeSOD.csv": _lines(SOD_HEADER, *_sod_rows()),
        "actant/pricing_monkey_sod_20250718_070000.csv": _lines(SOD_HEADER, *_iso_sod_rows()),
        "actant/GE_XCME.ZN_20250718_101600.csv": _lines(*_grid_rows()),
        "actant/GE_XCME.ZN_20250718_101600.json": _pretty({"totals": _totals()}),
        "ledger/trades_20250718.csv": _lines(LEDGER_HEADER, *_trades()),
        "ledger/trades_20250721.csv": _lines(LEDGER_HEADER, *_future_trades()),
        "settlement/Futures_20250718_1600.csv": _lines(
            "SYMBOL,PX_LAST,PX_SETTLE,", "TU,103.2,103.20125,", "FV,108.1125,108.11,",
            "TY,110.31,110.315,", "US,112.000,#N/A Field Not Applicable,", "RX,129.41,129.4375,",
            "TY,110.31,110.30,",
        ),
        "settlement/Options_20250718_1600.csv": _lines(*_options()),
        "tt/ttledger_orders.json": _answer("orders", _orders()),
        "tt/ttledger_fills.json": _answer("fills", [FILL]),
        "tt/ttmonitor_position.json": _answer("positions", [POSITION]),
        "tt/ttpds_instrument.json": _answer("instrument", [INSTRUMENT]),
    }  # fmt: skip


def _risk_rows() -> list[str]:
    """Exponents, numbers that begin with a point, the cabinet price, what is missing in both ways,
    a volatility near expiry, and the bare underlying, which has no price."""
    totals = "250000.5000000,-12.2500000"
    return [
        RISK_HEADER,
        RISK_TYPES,
        f"XCME.ZN.SEP25,110.4687500,110.4843750,INVALID,F,,,,,-40,-40,-4418750,110.4765625,,{totals}",
        f"XCME.VY3.21JUL25.110:25.C,.2500000,.2656250,110.25,C,2.6e-1,5.5,6.25,5.875,0,0,0,,,{totals}",
        f"XCME.VY3.21JUL25.112.C,INVALID,.0069999,112,C,2.9e-12,INVALID,1628.67,,12,0,.5,.0069999,,{totals}",
        f"XCME.GY4.22JUL25.110:5.P,.1093750,.1250000,110.5,P,.117,4,4.5,4.25,0,0,0,,,{totals}",
        f"XCME.ZN,INVALID,INVALID,INVALID,N,,,,,-28,-40,-4418749.5,,,{totals}",
    ]


def _sod_rows() -> list[str]:
    """Days as the United States write them, some unpadded; ticks; a minus beside an S; two lots of
    one contract; an option without a lot size."""
    return [
        "ACCT7,ZN,ZN,07/18/2025,FUTURE,L,,,12.0,9/19/2025,1000.0,110'165,",
        "ACCT7,ZN,ZN,07/18/2025,FUTURE,L,,,3.0,9/19/2025,1000.0,110'170,",
        "ACCT7,ZN,VY3,07/18/2025,FUTR-OP,S,P,110.25,-5,07/21/2025,,0.0069999,Y",
        "ACCT7,ZF,ZF,07/18/2025,FUTURE,S,,,4.0,9/30/2025,1000.0,108'027,N",
    ]


def _iso_sod_rows() -> list[str]:
    """Days in ISO form, decimal prices, and a future with a strike, which it has not."""
    return [
        "ACCT7,ZN,ZN,2025-07-18,FUTURE,L,,110.5,250,2025-09-19,1000,110.515625,N",
        "ACCT7,ZN,GY4,2025-07-18,FUTR-OP,L,C,110.75,20,2025-07-22,1000,0.078125,Y",
        "ACCT8,ZB,ZB,2025-07-18,FUTURE,S,,,3,2025-09-19,1000,112.25,N",
    ]


def _trades() -> list[str]:
    """Positions of the start of the day (at midnight), times with 0, 3 and 6 digits, an exercise
    (at 0), the cabinet price, and a round trip in bonds that comes to nothing but its result."""
    return [
        f"501,{ZN},2025-07-18 00:00:00.000,B,15.0,110.515625",
        f"502,{ZN},2025-07-17 17:00:01,S,4.0,110.53125",
        f"503,{ZB},2025-07-17 17:30:02.250,S,2.0,112.40625",
        f"504,{ZF},2025-07-18 08:15:00.125000,B,7.0,108.0859375",
        "505,XCMEOPADPS20250721N0VY3/110.25,2025-07-18 08:16:30.000,S,25.0,0.0625",
        "506,XCMEOCADPS20250722N0GY4/112,2025-07-18 08:17:00.000,B,10.0,0.0069999",
        "507,XCMEOPADPS20250721N0VY3/110.25,2025-07-18 08:40:00.000,B,5.0,0",
        f"508,{ZB},2025-07-18 09:00:00.000,B,2.0,112.375",
        f"509,{ZN},2025-07-18 09:30:00.000,S,1.0,110.546875",
    ]


def _future_trades() -> list[str]:
    """Futures alone, over two trading days: positions turn round, and bonds come to nothing but
    their result, 2 x (112.40625 - 112.375)."""
    return [
        f"601,{ZN},2025-07-20 17:00:00.500,B,6.0,110.546875",
        f"602,{ZB},2025-07-20 18:01:00,S,2.0,112.40625",
        f"603,{ZN},2025-07-21 03:00:00.000,S,4.0,110.5625",
        f"604,{ZF},2025-07-21 08:30:00.000,S,3.0,108.1015625",
        f"605,{ZN},2025-07-21 09:00:00.000,S,5.0,110.578125",
        f"606,{ZB},2025-07-21 10:00:00.000,B,1.0,112.375",
        f"607,{ZB},2025-07-21 10:00:01.000,B,1.0,112.375",
        f"608,{ZF},2025-07-21 15:59:59.999999,B,1.0,108.09375",
        f"609,{ZN},2025-07-21 17:00:00.000,B,2.0,110.53125",
    ]


def _options() -> list[str]:
    """Prices that Bloomberg lacks, the cabinet price, and the strike at the money, which is listed
    twice."""
    lacking = "#N/A Field Not Applicable"
    return [
        "SYMBOL,PX_LAST,PX_SETTLE,EXPIRE_DT,MONEYNESS,,",
        f"VBYN25C3 110.750 Comdty,{lacking},0.078125,7/21/2025,OTM,,",
        f"VBYN25P3 110.750 Comdty,0.34375,{lacking},7/21/2025,ITM,,",
        "TJPN25C4 110.500 Comdty,0.1875,0.171875,7/22/2025,OTM,,",
        "TJPN25C4 110.500 Comdty,0.1875,0.171875,7/22/2025,ITM,,",
        "TYWN25P4 108.000 Comdty,0.007,0.007,7/23/2025,OTM,,",
    ]


def _grid_rows() -> list[str]:
    """The underlying and an expiry over 25 shocks in price points; numbers of the smallest kind."""
    shocks = [f"{quarter / 4:g}" for quarter in range(-12, 13)]
    rows = [f"Expiration,Value,UPrice,{','.join(shocks)}"]
    for number, scope in enumerate(("XCME.ZN", "21JUL25")):
        for metric, slope in (("ab_F", 1.0), ("ab_sCall", 0.5), ("ab_Theta", 0.00001)):
            cells = (f"{number + slope * float(shock):.5f}" for shock in shocks)
            rows.append(f"{scope},{metric},110.484,{','.join(cells)}")
    return rows


def _totals() -> list[dict[str, Any]]:
    """Three scopes, relative and absolute shocks, every number a text, and a metric that one point
    lacks."""
    totals = []
    for number, scope in enumerate(("XCME.ZN", "w/o first", "21JUL25"), 1):
        points = []
        for shock in ("-10%", "-0.25", "0", "0.25", "10%"):
            change = float(shock.rstrip("%"))
            values = {"Delta": f"{number * 1000 + change:.2f}", "Gamma": f"{change / 8:.2f}"}
            if shock != "0":
                values["Th PnL"] = f"{number * change:.2f}"
            points.append({"header": shock, "values": values})
        totals.append({"header": scope, "points": points})
    return totals


INSTRUMENT_ID: Final = "8001000000000000001"
NAME: Final = "ZNU5"
_WHO: Final = {"accountId": 1000009, "brokerId": 2000009, "currUserId": 3000009}
_TIME_NS: Final = 1752851760123456789
_PARENT: Final = "00000000-0000-4000-8000-000000000900"

FILL: Final = {
    **_WHO, "execId": "made-up-execution-1", "executionType": "F", "instrumentId": INSTRUMENT_ID,
    "lastPx": 110.484375, "lastQty": 3.0, "leavesQty": 7.0, "marketId": 7,
    "orderId": "00000000-0000-4000-8000-000000000901", "side": "1", "timeStamp": _TIME_NS,
    "tradeDate": 20250718, "uniqueExecId": "made-up-execution-1", "userId": "3000009",
}  # fmt: skip
POSITION: Final = {
    "avgBuy": 110.46875, "avgSell": 110.5, "buyFillQty": 3.0, "buyWorkingQty": 7.0,
    "instrumentId": INSTRUMENT_ID, "netPosition": -12.0, "openAvgPrice": 110.4765625,
    "pnl": -0.09375, "pnlPrice": 110.484375, "pnlPriceType": "MIDPOINT", "realizedPnl": 0.03125,
    "sellFillQty": 0.0, "sellWorkingQty": 2.0, "sodNetPos": -15.0, "sodPrice": 110.515625,
    "sodPriceType": "SETTLE", "accountId": 1000009,
}  # fmt: skip
INSTRUMENT: Final = {
    "alias": "ZN Sep25", "displayFactor": 1.0, "displayType": 17, "expirationDate": 20250919235959,
    "id": INSTRUMENT_ID, "lastTradeDate": 20250919, "marketDepth": 10, "marketId": 7,
    "metadata": '{"cdd":"2025090000000"}', "name": NAME, "pointValue": 1000.0,
    "productFamilyId": "8001000000000000002", "productId": "8001000000000000003",
    "productSymbol": "ZN", "productTypeId": 34, "ricCode": "TYU25", "roundLotQty": 1,
    "securityExchange": 1, "securityId": "8001004", "seriesTermId": 4, "term": "Sep25",
    "tickSize": 0.015625, "tickValue": 15.625,
}  # fmt: skip


def _orders() -> list[dict[str, Any]]:
    """A limit and a stop limit order of an algo, its parent, which has neither price nor quantity,
    and one that is sold."""
    return [
        _order(1, "2", "1", 10.0, 110.453125),
        _order(2, "4", "2", 2.0, 110.390625),
        _parent(),
        _order(3, "2", "2", 5.0, 110.53125),
    ]


def _order(number: int, kind: str, side: str, quantity: float, price: float) -> dict[str, Any]:
    stop = {"stopPrice": price} if kind == "4" else {}
    return {
        "accountId": _WHO["accountId"], "algoType": 0, "brokerId": _WHO["brokerId"],
        "cumulatedQuantity": 0.0, "currUserId": _WHO["currUserId"], "dateTime": _TIME_NS + number,
        "execId": f"made-up-order-{number}", "executionType": "1", "instrumentId": INSTRUMENT_ID,
        "leavesQuantity": quantity, "manualOrderIndicator": False, "marketId": 183,
        "orderId": f"00000000-0000-4000-8000-00000000090{number}", "orderQty": quantity,
        "orderStatus": "1", "orderType": kind, "parentOrderId": _PARENT, "price": price,
        "side": side, **stop, "timeInForce": "1", "uniqueExecId": f"made-up-order-{number}",
        "userId": "3000009",
        "userParameters": {"userParameterList": [{"name": "__on_leave", "type": 2, "v_int32": 0}]},
    }  # fmt: skip


def _parent() -> dict[str, Any]:
    parameter = {"displayName": "", "name": "_algo_version", "type": 7, "v_string": "0.1"}
    return {
        "accountId": _WHO["accountId"], "algoInstrumentId": "8001000000000000005", "algoType": 0,
        "brokerId": _WHO["brokerId"], "currUserId": _WHO["currUserId"], "dateTime": _TIME_NS,
        "execId": "made-up-parent", "executionType": "12", "instrumentId": INSTRUMENT_ID,
        "manualOrderIndicator": True, "marketId": 1001, "orderId": _PARENT, "orderStatus": "1",
        "orderType": "2", "securityDescription": "MADE UP ALGO", "side": "1", "syntheticStatus": 3,
        "syntheticType": "7", "timeInForce": "2", "uniqueExecId": "made-up-parent",
        "userId": "3000009", "userParameters": {"userParameterList": [parameter]},
    }  # fmt: skip


def _answer(name: str, rows: list[dict[str, Any]]) -> bytes:
    """As TT answers, with its flag that is a text; names in the order of the alphabet."""
    answer = {"lastPage": "true", name: rows, "status": "Ok"}
    return json.dumps(dict(sorted(answer.items())), indent=2).encode() + b"\n"


def _pretty(content: object) -> bytes:
    return json.dumps(content, indent=4).encode() + b"\n"


def _lines(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()
