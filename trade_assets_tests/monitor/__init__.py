"""Tests of the health, of what was given up, and of the alarms."""
