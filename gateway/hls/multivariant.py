"""The multivariant playlist (draft-pantos-hls-rfc8216bis section 4.4.6): one variant, whose sound is a rendition."""

from dataclasses import dataclass

from gateway.hls.init_section import VideoFormat

AUDIO_GROUP = "audio"
ESTIMATE_MARGIN = 1.3
"""On what was measured, while that is little: a keyframe more in a segment makes it so much larger."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What the playlist says; rates in bits a second, sound included."""

    video_format: VideoFormat
    audio_codec: str | None
    peak_bps: float
    """Highest rate of a segment; 0 before one is whole."""
    average_bps: float
    frame_rate: float
    is_independent: bool
    """Whether each segment begins with a keyframe."""


def multivariant_playlist(variant: Variant, directory: str) -> str:
    """The text; media playlists lie in `directory`, relative to where this one is asked for ("" or ending in a
    slash)."""
    codecs = [variant.video_format.codec]
    lines = ["#EXTM3U"]
    if variant.is_independent:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    if variant.audio_codec is not None:
        codecs.append(variant.audio_codec)
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="Table",DEFAULT=YES,AUTOSELECT=YES,'
            f'CHANNELS="2",URI="{directory}audio.m3u8"'
        )
    peak_bps = max(variant.peak_bps, variant.average_bps * (1 if variant.peak_bps else ESTIMATE_MARGIN), 1)
    attributes = [
        f"BANDWIDTH={round(peak_bps)}",
        f"AVERAGE-BANDWIDTH={max(round(variant.average_bps), 1)}",
        f'CODECS="{",".join(codecs)}"',
        f"RESOLUTION={variant.video_format.width}x{variant.video_format.height}",
    ]
    if variant.frame_rate > 0:
        attributes.append(f"FRAME-RATE={variant.frame_rate:.3f}")
    if variant.audio_codec is not None:
        attributes.append(f'AUDIO="{AUDIO_GROUP}"')
    lines.append("#EXT-X-STREAM-INF:" + ",".join(attributes))
    lines.append(f"{directory}video.m3u8")
    return "".join(f"{line}\n" for line in lines)
