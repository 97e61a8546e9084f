"""One player: what it reads, what it makes of it, and what it tells the server."""
