"""Progress, for whoever waits."""

import sys


def say(sentence: str) -> None:
    """A line on standard error."""
    print(f"bench: {sentence}", file=sys.stderr, flush=True)
