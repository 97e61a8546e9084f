"""The body of a WHIP or WHEP PATCH: application/trickle-ice-sdpfrag (RFC 8840 section 9, RFC 9725 section 4.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.errors import WireError

MAX_FRAGMENT_BYTES = 16 * 1024
"""A candidate line is about 120 bytes: more than a hundred of them, which no client gathers."""

_END_OF_CANDIDATES = "end-of-candidates"


@dataclass(frozen=True, slots=True)
class SdpFragment:
    """What a client trickles. With BUNDLE every m-section has the same credentials: the first ones are kept."""

    ufrag: str | None
    pwd: str | None
    candidates: tuple[str, ...]
    """The values of `a=candidate:`, from the foundation on."""
    end_of_candidates: bool


def parse_fragment(text: str) -> SdpFragment:
    """Raises WireError for a fragment that is empty, above MAX_FRAGMENT_BYTES or has a line that is none of SDP."""
    if len(text.encode(errors="replace")) > MAX_FRAGMENT_BYTES:
        raise WireError(f"SDP fragment is larger than {MAX_FRAGMENT_BYTES} bytes")
    attributes = list(_attributes(text))
    first: dict[str, str] = {}
    for name, value in attributes:
        first.setdefault(name, value)
    return SdpFragment(
        first.get("ice-ufrag") or None,
        first.get("ice-pwd") or None,
        tuple(value for name, value in attributes if name == "candidate"),
        _END_OF_CANDIDATES in first,
    )


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    """`(name, value)` of every `a=` line; other lines only have to look like SDP (RFC 8866 section 5)."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if not any(lines):
        raise WireError("SDP fragment is empty")
    for line in filter(None, lines):
        if line[1:2] != "=" or not "a" <= line[0] <= "z":
            raise WireError(f"SDP fragment has a line that is none of SDP: {line[:40]!r}")
        if line[0] == "a":
            name, _, value = line[2:].partition(":")
            yield name, value


def serialize_fragment(ufrag: str, pwd: str, mid: str, candidates: Iterable[str]) -> str:
    """The answer to an ICE restart: new credentials and all the candidates that an ICE-lite agent has.

    The m-line only opens the section of `mid`; its other fields mean nothing (RFC 8840 section 9).
    """
    lines = (
        "a=ice-lite",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        *(f"a=candidate:{candidate}" for candidate in candidates),
        f"a={_END_OF_CANDIDATES}",
    )
    return "".join(f"{line}\r\n" for line in lines)
