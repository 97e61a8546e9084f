"""The multivariant playlist (draft-pantos-hls-rfc8216bis section 4.4.6): which renditions there are."""

from dataclasses import dataclass

from gateway.errors import WireError
from loadgen.hls.attributes import parse_attributes, quoted, required

MAX_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Multivariant:
    """What a player takes that does not switch: the first variant, and the audio that belongs to it."""

    video_uri: str
    audio_uri: str | None
    """None where the variant has its audio in itself, or none."""


def parse_multivariant(text: str) -> Multivariant:
    """WireError for what names no variant."""
    lines = text.splitlines()
    if not lines or lines[0] != "#EXTM3U" or len(lines) > MAX_LINES:
        raise WireError("It does not begin with #EXTM3U, or is endless.")
    video_uri, group = _first_variant(lines)
    return Multivariant(video_uri, _audio_uri(lines, group) if group is not None else None)


def _first_variant(lines: list[str]) -> tuple[str, str | None]:
    """Its URI, and the group of its audio."""
    for number, line in enumerate(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            uri = next((each for each in lines[number + 1 :] if each and not each.startswith("#")), None)
            if uri is None:
                break
            return uri, quoted(parse_attributes(line.partition(":")[2]), "AUDIO")
    raise WireError("It names no variant.")


def _audio_uri(lines: list[str], group: str) -> str | None:
    """Of the group's default, or its first."""
    media = [parse_attributes(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-MEDIA:")]
    of_group = [each for each in media if each.get("TYPE") == "AUDIO" and quoted(each, "GROUP-ID") == group]
    if not of_group:
        raise WireError(f"It has no audio of the group {group[:80]!r}.")
    chosen = next((each for each in of_group if each.get("DEFAULT") == "YES"), of_group[0])
    return required(chosen, "URI") if "URI" in chosen else None
