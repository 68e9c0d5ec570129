"""TT simulator: the TT REST API as far as the platform uses it, over the simulated market."""
