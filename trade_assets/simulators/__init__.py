"""Stand-ins on this machine for what the platform hears of: the desk's files, and TT's API."""
