"""What one machine needs in place of AWS, a Redis server and a trading desk. No production code."""
