"""Open lots of one instrument, closed first in, first out. No frames and no files.

Sums are exact as far as the caller's decimal context goes.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal


def total(values: Iterable[Decimal]) -> Decimal:
    """Sum of decimals, 0 of none."""
    return sum(values, Decimal(0))


@dataclass(frozen=True, slots=True)
class Lot:
    """Contracts bought (sold: below 0) in one trade at one price (points), or an unknown one."""

    quantity: Decimal
    price: Decimal | None
    key: str


@dataclass(slots=True)
class Book:
    """Open lots of one instrument, oldest first and all of one sign, and what was realized."""

    lots: deque[Lot] = field(default_factory=deque)
    realized: Decimal | None = Decimal(0)

    def take(self, lot: Lot) -> None:
        """Close lots of the other sign, oldest first; what is left over is a new open lot."""
        left = lot.quantity
        while left and self.lots and (self.lots[0].quantity > 0) != (left > 0):
            oldest = self.lots.popleft()
            closed = oldest.quantity if abs(oldest.quantity) <= abs(left) else -left
            self._realize(closed, oldest.price, lot.price)
            left += closed
            if closed != oldest.quantity:
                self.lots.appendleft(replace(oldest, quantity=oldest.quantity - closed))
        if left:
            self.lots.append(replace(lot, quantity=left))

    def _realize(self, quantity: Decimal, opened: Decimal | None, closed: Decimal | None) -> None:
        if self.realized is None or opened is None or closed is None:
            self.realized = None
        else:
            self.realized += (closed - opened) * quantity

    @property
    def quantity(self) -> Decimal:
        """Signed contracts held."""
        return total(lot.quantity for lot in self.lots)

    @property
    def average_price(self) -> Decimal | None:
        """Price of the open lots weighted by quantity; None when flat or a price is unknown."""
        paid = [lot.quantity * lot.price for lot in self.lots if lot.price is not None]
        return total(paid) / self.quantity if paid and len(paid) == len(self.lots) else None
