"""The TT account: client of its REST API, formats of the answers, and snapshots slot by slot."""
