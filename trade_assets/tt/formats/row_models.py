"""TT's orders, fills, positions and instruments as typed models: TT's JSON name of a field is its
alias, ours is that of the column that it becomes. No documents and no frames
(`answer_rows`).

TT's types are loose (`json_values`). An id is a text or a number, and may be above 2^63: it becomes
a text. A flag may be the text `"true"`. Numbers and times may be texts of digits; what is no finite
number that the stores can hold is refused, as is a bool in place of a number. Codes become the
words below; one that is not listed stays as it is.

Sources: TT_API.md, and TT's own enumerations OrdStatus and TimeInForce
(library.tradingtechnologies.com/tt-core-sdk). They look like FIX and differ: status 1 is new, time
in force 1 the day.
"""

from collections.abc import Mapping
from datetime import date
from types import NoneType
from typing import Annotated, Any, Final, get_args

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from trade_assets.tt.formats.json_values import (
    as_date,
    as_flag,
    as_id,
    as_json,
    as_number,
    as_quantity,
    as_text,
    as_time_ns,
    as_whole,
    problem,
    required,
    word_of,
)

SIDES: Final[Mapping[str, str]] = {"1": "buy", "2": "sell"}

ORDER_TYPES: Final[Mapping[str, str]] = {
    "1": "market",
    "2": "limit",
    "3": "stop",
    "4": "stop_limit",
}

ORDER_STATUSES: Final[Mapping[str, str]] = {
    "1": "new",
    "2": "partially_filled",
    "3": "filled",
    "4": "done_for_day",
    "5": "canceled",
    "6": "pending_cancel",
    "7": "stopped",
    "8": "rejected",
    "9": "suspended",
    "10": "pending_new",
    "11": "calculated",
    "12": "expired",
    "13": "accepted_for_bidding",
    "14": "pending_replace",
    "17": "inactive",
    "18": "planned",
}

TIMES_IN_FORCE: Final[Mapping[str, str]] = {
    "1": "day",
    "2": "good_till_cancel",
    "3": "at_the_opening",
    "4": "immediate_or_cancel",
    "5": "fill_or_kill",
    "6": "good_till_crossing",
    "7": "good_till_date",
    "8": "at_the_close",
}

PRICE_TYPES: Final[Mapping[str, str]] = {"MIDPOINT": "midpoint", "SETTLE": "settle"}


def _side_of_fill(value: object) -> str | None:
    text = as_text(value)
    if text is not None and text not in SIDES:
        raise problem("is neither 1 (buy) nor 2 (sell)")
    return text if text is None else SIDES[text]


Text = Annotated[str | None, PlainValidator(as_text)]
Number = Annotated[float | None, PlainValidator(as_number)]
Whole = Annotated[int | None, PlainValidator(as_whole)]
Day = Annotated[date | None, PlainValidator(as_date)]
Flag = Annotated[bool | None, PlainValidator(as_flag)]
Json = Annotated[str | None, PlainValidator(as_json)]
Side = Annotated[str, PlainValidator(required(word_of(SIDES)))]
FillSide = Annotated[str, PlainValidator(required(_side_of_fill))]
OrderType = Annotated[str | None, PlainValidator(word_of(ORDER_TYPES))]
OrderStatus = Annotated[str | None, PlainValidator(word_of(ORDER_STATUSES))]
TimeInForce = Annotated[str | None, PlainValidator(word_of(TIMES_IN_FORCE))]
PriceType = Annotated[str | None, PlainValidator(word_of(PRICE_TYPES))]
Id = Annotated[str, PlainValidator(required(as_id))]
RequiredNumber = Annotated[float, PlainValidator(required(as_number))]
RequiredTime = Annotated[int, PlainValidator(required(as_time_ns))]
Quantity = Annotated[float, PlainValidator(required(as_quantity))]


class TtRow(BaseModel):
    """A row of an answer. What TT gives beside the known fields is in `model_extra`."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Order(TtRow):
    """A working order. An algo's parent (market 1001) has no price and no quantity of its own."""

    order_id: Id = Field(alias="orderId")
    parent_order_id: Text = Field(None, alias="parentOrderId")
    account_id: Text = Field(None, alias="accountId")
    user_id: Text = Field(None, alias="userId")
    current_user_id: Text = Field(None, alias="currUserId")
    broker_id: Text = Field(None, alias="brokerId")
    market_id: Text = Field(None, alias="marketId")
    tt_instrument_id: Id = Field(alias="instrumentId")
    algo_instrument_id: Text = Field(None, alias="algoInstrumentId")
    algo_type: Text = Field(None, alias="algoType")
    side: Side
    order_type: OrderType = Field(None, alias="orderType")
    time_in_force: TimeInForce = Field(None, alias="timeInForce")
    order_status: OrderStatus = Field(None, alias="orderStatus")
    execution_type: Text = Field(None, alias="executionType")
    price: Number = None
    stop_price: Number = Field(None, alias="stopPrice")
    quantity: Number = Field(None, alias="orderQty")
    filled_quantity: Number = Field(None, alias="cumulatedQuantity")
    working_quantity: Number = Field(None, alias="leavesQuantity")
    time_ns: RequiredTime = Field(alias="dateTime")
    execution_id: Text = Field(None, alias="execId")
    unique_execution_id: Text = Field(None, alias="uniqueExecId")
    is_manual: Flag = Field(None, alias="manualOrderIndicator")
    description: Text = Field(None, alias="securityDescription")
    synthetic_status: Text = Field(None, alias="syntheticStatus")
    synthetic_type: Text = Field(None, alias="syntheticType")
    user_parameters: Json = Field(None, alias="userParameters")


class Fill(TtRow):
    """A trade. Quantities are in contracts and above 0, `side` says which way."""

    unique_execution_id: Id = Field(alias="uniqueExecId")
    execution_id: Text = Field(None, alias="execId")
    execution_type: Text = Field(None, alias="executionType")
    order_id: Text = Field(None, alias="orderId")
    account_id: Text = Field(None, alias="accountId")
    user_id: Text = Field(None, alias="userId")
    current_user_id: Text = Field(None, alias="currUserId")
    broker_id: Text = Field(None, alias="brokerId")
    market_id: Text = Field(None, alias="marketId")
    tt_instrument_id: Id = Field(alias="instrumentId")
    side: FillSide
    quantity: Quantity = Field(alias="lastQty")
    price: RequiredNumber = Field(alias="lastPx")
    working_quantity: Number = Field(None, alias="leavesQty")
    time_ns: RequiredTime = Field(alias="timeStamp")
    trade_date: Day = Field(None, alias="tradeDate")


class Position(TtRow):
    """An account's position in an instrument. Prices and results are in the units that TT gives."""

    account_id: Id = Field(alias="accountId")
    tt_instrument_id: Id = Field(alias="instrumentId")
    position_quantity: RequiredNumber = Field(alias="netPosition")
    opening_quantity: Number = Field(None, alias="sodNetPos")
    bought_quantity: Number = Field(None, alias="buyFillQty")
    sold_quantity: Number = Field(None, alias="sellFillQty")
    buy_working_quantity: Number = Field(None, alias="buyWorkingQty")
    sell_working_quantity: Number = Field(None, alias="sellWorkingQty")
    average_buy_price: Number = Field(None, alias="avgBuy")
    average_sell_price: Number = Field(None, alias="avgSell")
    average_open_price: Number = Field(None, alias="openAvgPrice")
    pnl: Number = None
    realized_pnl: Number = Field(None, alias="realizedPnl")
    pnl_price: Number = Field(None, alias="pnlPrice")
    pnl_price_type: PriceType = Field(None, alias="pnlPriceType")
    sod_price: Number = Field(None, alias="sodPrice")
    sod_price_type: PriceType = Field(None, alias="sodPriceType")


class Instrument(TtRow):
    """An instrument as TT knows it; `instrument` is TT's name of it (`ZNM5`)."""

    tt_instrument_id: Id = Field(alias="id")
    instrument: Id = Field(alias="name")
    alias: Text = None
    term: Text = None
    market_id: Text = Field(None, alias="marketId")
    product_symbol: Text = Field(None, alias="productSymbol")
    product_id: Text = Field(None, alias="productId")
    product_family_id: Text = Field(None, alias="productFamilyId")
    product_type_id: Text = Field(None, alias="productTypeId")
    security_id: Text = Field(None, alias="securityId")
    security_exchange: Text = Field(None, alias="securityExchange")
    series_term_id: Text = Field(None, alias="seriesTermId")
    ric_code: Text = Field(None, alias="ricCode")
    tick_size: Number = Field(None, alias="tickSize")
    tick_value: Number = Field(None, alias="tickValue")
    point_value: Number = Field(None, alias="pointValue")
    display_factor: Number = Field(None, alias="displayFactor")
    display_type: Text = Field(None, alias="displayType")
    round_lot_quantity: Number = Field(None, alias="roundLotQty")
    market_depth: Whole = Field(None, alias="marketDepth")
    last_trade_date: Day = Field(None, alias="lastTradeDate")
    expiration_date: Day = Field(None, alias="expirationDate")
    metadata: Text = None


_DTYPES: Final[Mapping[type, pl.DataType]] = {
    str: pl.String(),
    float: pl.Float64(),
    int: pl.Int64(),
    bool: pl.Boolean(),
    date: pl.Date(),
}


def schema_of(model: type[TtRow]) -> dict[str, pl.DataType]:
    """The columns that a model's fields become, in order."""
    return {name: _DTYPES[_plain(item.annotation)] for name, item in model.model_fields.items()}


def _plain(annotation: Any) -> type:
    """The type of an annotation without its None."""
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not NoneType]
    return kinds[0]  # type: ignore[no-any-return]
