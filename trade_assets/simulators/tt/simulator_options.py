"""What one may choose about a simulated TT."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """Options of a simulator.

    Attributes:
        seed: of the market; the same as the desk's, the same prices.
        orders: how many work at any time.
        fills_per_minute: about so many fills; 0: none at all. A start makes all of the day's: of
            600, late in the day, that takes some seconds.
        backlog_fills: so many more in the first minute of each trading day.
        order_page, fill_page: most rows of an answer.
        token_seconds: how long a token is good.
        redirect_share: of the calls, answered 303 first.
        per_second, per_day: the key's limits.
    """

    seed: int
    orders: int = 40
    fills_per_minute: float = 6.0
    backlog_fills: int = 0
    order_page: int = 500
    fill_page: int = 500
    token_seconds: float = 3600.0
    redirect_share: float = 0.02
    per_second: int = 5
    per_day: int = 15_000
