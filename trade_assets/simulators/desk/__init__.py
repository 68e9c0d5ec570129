"""The simulated desk: files in the desk's true formats, at its true cadence, repeatable by seed.

`market` moves a future and `related` the others; `chain` lists the options on it, `pricing` says
what they are worth, `book` what is held. A module writes each kind of file: `spot_risk`, `ledger`,
`vtexp`, `pnl_grid` and `eod` (with `scenarios`), `start_of_day`, `settlements`. `desk` says when,
`runner` does it in a folder by the clock. All but the runner are pure functions of seed and time: a
restart goes on where the last run stopped, and a test needs no clock. The market never closes: a
demonstration on a Sunday has to show something.
"""
