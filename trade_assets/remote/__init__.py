"""How remote APIs are asked: HTTP, exchange, responses, protection, secrets. Of no API at all."""
