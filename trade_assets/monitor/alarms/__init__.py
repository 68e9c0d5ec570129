"""Alarms: conditions that somebody must hear of, told once as they begin and once as they end."""
