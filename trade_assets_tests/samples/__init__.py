"""Samples of every format, and what makes them: `python -m trade_assets_tests.samples`.

The files are committed so that they can be looked at, and that a change of what is written shows.
They are made, by the simulators and by hand (`hand_made`); no desk's own data is among them.
"""
