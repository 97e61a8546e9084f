"""The image: what its build is told, and what is in it."""
