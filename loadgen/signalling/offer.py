"""The offers of player and studio: as Chromium 156 makes them, with the candidates in them.

Of what Chromium offers a player's leaves out transport-cc and goog-remb, which a server would wait for, and RED and
FEC: our players do none of them. It asks for abs-capture-time besides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.transport.ice import Credentials

_PLAYER = Path(__file__).with_name("player_offer.sdp").read_text()
_SIGNALS = Path(__file__).with_name("signals_section.sdp").read_text()
_STUDIO = Path(__file__).with_name("studio_offer.sdp").read_text()

CONSTRAINED_BASELINE = "42e01f"
"""`profile-level-id` (RFC 6184 section 8.1): constrained baseline, level 3.1."""

_END_OF_CANDIDATES = "a=end-of-candidates"


@dataclass(frozen=True, slots=True)
class StudioSsrcs:
    """What a studio sends with, told in its offer."""

    video: int
    video_rtx: int
    audio: int


def player_offer(credentials: Credentials, fingerprint: str, candidates: Sequence[str]) -> str:
    """An offer to watch. `fingerprint` is `sha-256 AB:CD...`, `candidates` are what stands after `a=candidate:`."""
    return _filled(_PLAYER, credentials, fingerprint, candidates)


def player_offer_with_signals(credentials: Credentials, fingerprint: str, candidates: Sequence[str]) -> str:
    """An offer to watch, with a section for data channels."""
    bundled = _PLAYER.replace("a=group:BUNDLE 0 1\n", "a=group:BUNDLE 0 1 2\n")
    return _filled(bundled + _SIGNALS, credentials, fingerprint, candidates)


def studio_offer(
    credentials: Credentials,
    fingerprint: str,
    candidates: Sequence[str],
    *,
    ssrcs: StudioSsrcs | None = None,
    profile_level_id: str = CONSTRAINED_BASELINE,
) -> str:
    """An offer to publish H264 and Opus. Without `ssrcs` the server has to tell the tracks by mid or payload type."""
    video = _ssrc_lines("video", ssrcs.video, ssrcs.video_rtx) if ssrcs else []
    audio = _ssrc_lines("audio", ssrcs.audio) if ssrcs else []
    text = _STUDIO.replace("{profile_level_id}", profile_level_id)
    text = text.replace("{video_ssrcs}\n", _lines(video)).replace("{audio_ssrcs}\n", _lines(audio))
    return _filled(text, credentials, fingerprint, candidates)


def _ssrc_lines(track: str, *ssrcs: int) -> list[str]:
    """RFC 5576 sections 4.1, 4.2."""
    group = [f"a=ssrc-group:FID {' '.join(map(str, ssrcs))}"] if len(ssrcs) > 1 else []
    return group + [
        line for ssrc in ssrcs for line in (f"a=ssrc:{ssrc} cname:studio", f"a=ssrc:{ssrc} msid:studio {track}")
    ]


def _filled(template: str, credentials: Credentials, fingerprint: str, candidates: Sequence[str]) -> str:
    told = [f"a=candidate:{candidate}" for candidate in candidates]
    text = template.replace("{ufrag}", credentials.ufrag).replace("{pwd}", credentials.pwd)
    text = text.replace("{fingerprint}", fingerprint)
    return text.replace("{candidates}\n", _lines([*told, _END_OF_CANDIDATES])).replace("\n", "\r\n")


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
