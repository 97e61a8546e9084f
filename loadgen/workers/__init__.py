"""The processes of a run: one a core for players, one for studios; each ends when the coordinator does."""
