"""The rules, one function each, a module a section: what a stream breaks, as sentences; none when it keeps the rule.

A rule that finds nothing to look at says so: it is not kept by a stream that has nothing to show.
"""

from collections.abc import Callable, Iterable

from tests.hls_conformance.recording import RENDITIONS, Stream

Rule = Callable[[Stream], Iterable[str]]

SHOWN = 6


def broken(rule: Rule, *streams: Stream) -> list[str]:
    """What the rule says of the streams; the first few sentences of each, as one fault shows in many playlists."""
    found: list[str] = []
    for stream in streams:
        silent = [rendition for rendition in RENDITIONS if next(stream.playlists(rendition), None) is None]
        sentences = [*rule(stream), *(f"no playlist of {rendition} can be read" for rendition in silent)]
        found += [f"{stream.name}: {sentence}" for sentence in list(dict.fromkeys(sentences))[:SHOWN]]
    return found


def hold(rule: Rule, *streams: Stream) -> None:
    """AssertionError with the rule's section and what breaks it."""
    found = broken(rule, *streams)
    assert not found, "\n".join([f"{rule.__doc__}", *found])
