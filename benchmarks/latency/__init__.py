"""Latency: from a file's landing in the bucket to its rows being readable in Redis.

The same files, putter and reader for three ways: a raw loop, the stream, and stock Dagster.
"""

from benchmarks.latency.compare import measure

__all__ = ["measure"]
