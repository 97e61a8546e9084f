"""railbird-loadgen: real studios and real players by the thousand against any WHIP and WHEP gateway, and a verdict."""
