"""How remote APIs are asked: HTTP exchange, protection layer, secrets. No API in particular."""
