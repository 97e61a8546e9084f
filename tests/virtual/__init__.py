"""Two real peers of the gateway on virtual time: a studio and players over seeded lossy links, real SRTP on both legs.

Nothing here reads a clock or sleeps: a scenario is a function of its seeds, and ten seconds of it pass in a blink.
"""
