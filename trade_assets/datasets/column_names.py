"""Names of the columns that every record begins with. Nothing but names: whoever only reads records
needs no Polars, which takes longer to import than to answer."""

from typing import Final

RECORD_KEY: Final = "record_key"
EVENT_TIME: Final = "event_time"
ROW: Final = "row"
EXTRA: Final = "extra"
TRADING_DATE: Final = "trading_date"
SOURCE: Final = "source"
FEED: Final = "feed"
FILE_KEY: Final = "file_key"
