"""What the definitions of several concepts share: names, hour partitions, outcomes of checks."""
