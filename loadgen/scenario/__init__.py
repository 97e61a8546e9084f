"""What a run plays: a YAML file, read whole or refused by its line. `examples/` is the manual."""
