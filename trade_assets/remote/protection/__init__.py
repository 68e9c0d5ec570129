"""The protection layer: what every call of every remote API goes through. No API is known here.

`protection.Protection` is its one entry. `base` has what it is given and what it shows, `windows`
the requests of the last second and day, `breaker` the circuit breaker, `attempts` the retries,
`counters` what is counted for people.
"""
