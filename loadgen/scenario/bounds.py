"""How far a run may go, whatever its scenario says. A mistyped scenario must not become an attack, or never end."""

MAX_DURATION_S = 48 * 3600.0
"""A leak of one percent a day shows in a weekend; and nobody watches over a run for longer."""

MAX_PLAYERS = 20_000
"""Each is a socket and a port: an address has 28,000 to give (net.ipv4.ip_local_port_range)."""

MAX_HLS_PLAYERS = 2_000
"""Each makes some twenty requests a second as long as it watches: all of them 40,000."""

MAX_STREAMS = 200
"""Each is a studio that a worker sends for, packet by packet; a big edge carries some dozens of tables."""

MAX_REQUESTS_PER_S = 1000.0
"""Joins and ICE restarts. A storm of players at a round start is hundreds; more than that tests no video, it is a flood
of HTTP."""

MAX_BETS_A_ROUND = 20
"""Of one player: no chip lands so often."""

MAX_BETS_PER_S = 2000.0
"""Of all players while bets are open: ten times what a busy edge takes."""

MAX_STUDIO_BITRATE_BPS = 50_000_000.0
"""2160p60 by H.264, more than any table sends."""
