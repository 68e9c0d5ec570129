"""What the desk trades: products, price notations, symbols, and the calendar they follow.

Pure functions: no I/O, no clock, and nothing about any file.
"""
