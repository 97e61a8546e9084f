"""What the node tuner says of this node: read from its result file, and judged."""
