"""What a data set is: its records, the grammar of its keys, and the one registry. Pure."""
