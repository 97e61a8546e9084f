"""A run from its first process to its verdict."""
