"""Tells the gateway of this container to drain, and waits until it has: `python -m gateway.drain`, or
`railbird-drain`; a preStop hook. It imports next to nothing: it begins while a node may be short of everything."""
