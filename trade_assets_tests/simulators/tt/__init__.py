"""Tests of the simulated TT."""
