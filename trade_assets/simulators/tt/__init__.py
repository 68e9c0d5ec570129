"""The simulated TT: its REST API as far as the platform uses it, over the simulated market.

It shares no code with the client of the API, so that a fact both misread shows.
"""
