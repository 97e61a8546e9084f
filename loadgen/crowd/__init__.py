"""The players as a crowd: who comes when, what each of them watches, and how each leaves."""
