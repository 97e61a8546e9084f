"""One player's bet signals: what it is told and answers, what it bets, and whether the server keeps its rules."""
