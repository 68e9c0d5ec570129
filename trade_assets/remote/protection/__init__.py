"""The protection layer: what every call of every remote API goes through.

`protection.Protection` is its one entry. No API is known here.
"""
