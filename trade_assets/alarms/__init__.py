"""Alarms: conditions that somebody must hear of, told once when they begin and once when they end."""
