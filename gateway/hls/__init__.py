"""Low-Latency HLS: a stream's packets as CMAF parts, segments and playlists, from the same ingest as WHEP."""
