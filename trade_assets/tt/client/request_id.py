"""Request ids by TT's rule: `<application>-<company>--<guid>`, a new one for every attempt.

TT identifies a client by its first two parts; `Settings` lets only what the rule allows into them.
"""

from uuid import uuid4

from trade_assets.settings import Settings


def new_request_id(settings: Settings) -> str:
    """An id that no other request has."""
    return f"{settings.tt.application}-{settings.tt.company}--{uuid4()}"
