"""Redis: the newest records, whole sets, update streams, and what is noted beside them."""
