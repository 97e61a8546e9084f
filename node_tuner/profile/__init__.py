"""What a node shall be: a YAML file, taken whole or refused by its line."""
