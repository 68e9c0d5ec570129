"""The state of the platform, for people and monitors: health, what was set aside, alarms.

No concept is named here: each brings its own section of the health. Nothing that is looked at is
changed, and no remote API is asked.
"""
