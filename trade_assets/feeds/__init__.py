"""The desk's files: their formats, what is derived from them, the stream, an hour's rerun."""
