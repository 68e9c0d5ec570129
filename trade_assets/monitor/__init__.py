"""One look at everything, for people and monitors: stores, feeds, remote APIs, slots, alarms.

What is seen, and what of it is a problem, is here; how it looks is `cli.status_view`'s
business. Nothing is written, and no remote API is asked.
"""
