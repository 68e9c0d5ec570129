"""Tests of the one look at everything."""
