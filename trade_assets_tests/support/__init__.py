"""Helpers of the tests: real local parts, waiting, and nothing that pretends."""
