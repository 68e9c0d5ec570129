"""The one way from bytes to stores: read, isolate what a store refuses, write both, account, and
the figures of it. No concept is named here.
"""
