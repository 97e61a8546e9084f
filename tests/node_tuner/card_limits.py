"""A network card of which a test says what it can have."""

from collections.abc import Callable, Mapping

import pytest

from node_tuner.controls.ethtool import Channels, Rings
from node_tuner.errors import UnavailableError

Limits = Mapping[str, int] | None
SetLimits = Callable[..., None]


def card_limits(monkeypatch: pytest.MonkeyPatch) -> SetLimits:
    """For a fixture: says which `channels` and `rings` the card can have; nothing said: it has none of that."""

    def has(channels: Limits = None, rings: Limits = None) -> None:
        monkeypatch.setattr(Channels, "limits", _told(channels, "channels"))
        monkeypatch.setattr(Rings, "limits", _told(rings, "rings"))

    has()
    return has


def _told(limits: Limits, what: str) -> Callable[[object], Mapping[str, int]]:
    def told(control: object) -> Mapping[str, int]:
        if limits is None:
            raise UnavailableError(f"rbcard0 has no {what}")
        return limits

    return told
