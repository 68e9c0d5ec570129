"""TT simulator: the TT REST API as far as the platform uses it, over the simulated market.

`app` is the HTTP side, `market` what it tells of. It shares no code with the client of the API, so
that a fact both misread shows.
"""
