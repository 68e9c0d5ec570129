"""How a remote API is asked: HTTP, exchange, responses, protection, secrets. None in particular."""
