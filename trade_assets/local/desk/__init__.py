"""The simulated desk: files in the desk's true formats, at its true cadence, repeatable by seed.

`market` moves a future, `chain` lists and prices the options on it, `spot_risk` and `ledger` write
the two files, `desk` says when, `runner` does it in a folder by the clock. All but the runner are
pure functions of seed and time: a restart goes on where the last run stopped, and a test needs no
clock. The market never closes: a demonstration on a Sunday has to show something.
"""
