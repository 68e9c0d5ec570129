"""Tests of the push agent and of the replay."""
