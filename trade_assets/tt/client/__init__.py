"""The client of TT's REST API 2.0: orders, fills, positions and instruments, read only."""
