"""What the columns of the snapshots are, for people; each once, whichever kinds have it.

Which columns a kind has, and of what type, say the models (`row_models`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

_TEXTS: Final[Mapping[str, str]] = {
    "instrument": "TT's name of the instrument, null while nobody knows it",
    "tt_instrument_id": "TT's number of the instrument",
    # Orders and fills.
    "order_id": "TT's id of the order",
    "parent_order_id": "the algo order that this one belongs to",
    "account_id": "TT's id of the account",
    "user_id": "TT's id of who entered the order",
    "current_user_id": "TT's id of who holds the order now",
    "broker_id": "TT's id of the broker",
    "market_id": "TT's id of the exchange",
    "algo_instrument_id": "TT's id of the algo",
    "algo_type": "TT's code of the algo's type",
    "side": "buy or sell",
    "order_type": "market, limit, stop or stop_limit; else TT's code",
    "time_in_force": "day, good_till_cancel, …; else TT's code",
    "order_status": "new, partially_filled, filled, …; else TT's code",
    "execution_type": "TT's code of what the execution was",
    "price": "price of the order or the fill, points",
    "stop_price": "price that triggers a stop order, points",
    "quantity": "contracts, above 0",
    "filled_quantity": "contracts of the order that are filled",
    "working_quantity": "contracts that are still open",
    "time_ns": "the exact event time, nanoseconds since the epoch",
    "execution_id": "TT's id of the execution, once an exchange",
    "unique_execution_id": "TT's id of the execution, once everywhere",
    "is_manual": "whether a person entered the order",
    "description": "TT's description of the instrument",
    "synthetic_status": "TT's code of the state of a synthetic order",
    "synthetic_type": "TT's code of the type of a synthetic order",
    "user_parameters": "parameters of the algo, as JSON",
    "trade_date": "trade date as TT gives it",
    # Positions. Prices and results are in the units that TT gives.
    "position_quantity": "net position, contracts, below 0 when short",
    "opening_quantity": "net position at the start of the day, contracts, signed",
    "bought_quantity": "contracts bought today",
    "sold_quantity": "contracts sold today",
    "buy_working_quantity": "contracts in working orders to buy",
    "sell_working_quantity": "contracts in working orders to sell",
    "average_buy_price": "average price of what was bought, as TT gives it",
    "average_sell_price": "average price of what was sold, as TT gives it",
    "average_open_price": "average price of what is open, as TT gives it",
    "pnl": "result, as TT gives it",
    "realized_pnl": "realised result, as TT gives it",
    "pnl_price": "price at which the result is taken, as TT gives it",
    "pnl_price_type": "what that price is: midpoint, settle",
    "sod_price": "price at the start of the day, as TT gives it",
    "sod_price_type": "what that price is: midpoint, settle",
    # Instruments.
    "alias": "TT's short name",
    "term": "the contract's term, as TT writes it",
    "product_symbol": "TT's symbol of the product",
    "product_id": "TT's id of the product",
    "product_family_id": "TT's id of the product's family",
    "product_type_id": "TT's id of the product's type",
    "security_id": "the exchange's id of the instrument",
    "security_exchange": "the exchange, as TT writes it",
    "series_term_id": "TT's id of the series' term",
    "ric_code": "code of the instrument at Refinitiv",
    "tick_size": "smallest move of the price, as TT gives it",
    "tick_value": "value of a tick",
    "point_value": "value of a point",
    "display_factor": "factor between TT's prices and those it shows",
    "display_type": "TT's code of how prices are shown",
    "round_lot_quantity": "contracts of a round lot",
    "market_depth": "levels of the book that there are",
    "last_trade_date": "last trading day",
    "expiration_date": "day of expiration",
    "metadata": "what else TT says, as it says it",
}

IDS: Final = frozenset(name for name in _TEXTS if name.endswith("_id") and name != "market_id")
"""The columns of ids, which say nothing to a person."""


def column_texts(columns: Iterable[str], *first: str) -> dict[str, str]:
    """What these columns are: those of `first` first, the others in their order."""
    return {name: _TEXTS[name] for name in dict.fromkeys([*first, *columns])}
