"""The simulated desk: files in the desk's true formats, at its true cadence, repeatable by seed.

A pure function of seed and time (but for `runner`), and open even on a Sunday.
"""
