"""What the desk trades: products, price notations, symbols, and the calendar they follow.

Pure functions only: no I/O, no clock, no Dagster, and nothing about any file.
"""
