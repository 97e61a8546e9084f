"""What is left of a run: its figures as JSON, and one page for people."""
