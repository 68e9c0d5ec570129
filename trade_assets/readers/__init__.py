"""Typed queries of the stores, for whoever shows or computes; a remote API is never asked."""
