"""Ways to break the stream that was made by hand."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.hls_conformance.hand_made import ROOT
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream

Break = Callable[[Stream], None]


def edited(exchange: Exchange, old: str, new: str) -> Exchange:
    """The playlist with every `old` made `new`, which has to change it."""
    text = exchange.body.decode()
    assert old in text, f"{old!r} is not in {exchange}"
    return replace(exchange, wire_body=gzip.compress(text.replace(old, new).encode()))


def edit(old: str, new: str, only: str | None = None, step: int | None = None) -> Break:
    """Every playlist (of one rendition, of one step) that has `old`; at least one does."""

    def apply(stream: Stream) -> None:
        changed = 0
        for rendition in RENDITIONS if only is None else (only,):
            kept = stream.snapshots[rendition]
            for number, exchange in enumerate(kept):
                if old in exchange.body.decode() and step in (None, number):
                    kept[number] = edited(exchange, old, new)
                    changed += 1
        assert changed, f"{old!r} is in no playlist"

    return apply


def edit_delta(which: str, old: str, new: str) -> Break:
    def apply(stream: Stream) -> None:
        stream.deltas = [replace(d, **{which: edited(getattr(d, which), old, new)}) for d in stream.deltas]

    return apply


def edit_multivariant(old: str, new: str) -> Break:
    def apply(stream: Stream) -> None:
        stream.multivariant = edited(stream.multivariant, old, new)

    return apply


def answer(question: str, **changes: Any) -> Break:
    """Another answer to a probe."""

    def apply(stream: Stream) -> None:
        stream.answers[question] = replace(stream.answers[question], **changes)

    return apply


def edit_answer(question: str, old: str, new: str) -> Break:
    def apply(stream: Stream) -> None:
        stream.answers[question] = edited(stream.answers[question], old, new)

    return apply


def playlists(**changes: Any) -> Break:
    """Something else of every playlist: a header, a version."""

    def apply(stream: Stream) -> None:
        for exchanges in stream.snapshots.values():
            exchanges[:] = [replace(exchange, **changes) for exchange in exchanges]

    return apply


def header(name: str, value: str) -> Break:
    """Another header on every playlist."""

    def apply(stream: Stream) -> None:
        for exchanges in stream.snapshots.values():
            exchanges[:] = [replace(e, headers={**e.headers, name: value}) for e in exchanges]

    return apply


def without_header(name: str) -> Callable[[Exchange], Exchange]:
    def change(exchange: Exchange) -> Exchange:
        kept: Mapping[str, str] = {key: value for key, value in exchange.headers.items() if key != name}
        return replace(exchange, headers=kept)

    return change


def media(name: str, change: Callable[[Exchange], Exchange], kept: str = "listed") -> Break:
    """One resource, by its path below the renditions: `video/12.m4s`."""

    def apply(stream: Stream) -> None:
        resources = getattr(stream, kept)
        resources[ROOT + name] = change(resources[ROOT + name])

    return apply


def bytes_of(name: str, old: bytes, new: bytes) -> Break:
    """The body of one resource."""

    def change(exchange: Exchange) -> Exchange:
        assert old in exchange.wire_body, f"{old!r} is not in {name}"
        return replace(exchange, wire_body=exchange.wire_body.replace(old, new))

    return media(name, change)


def gone(exchange: Exchange) -> Exchange:
    return replace(exchange, status=404, wire_body=b"")


def both(*breaks: Break) -> Break:
    def apply(stream: Stream) -> None:
        for broken in breaks:
            broken(stream)

    return apply
