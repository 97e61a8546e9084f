"""Where studios, streams and players are brought together: who may come in, what is negotiated, who is told what."""
