"""What packaging counts, of one stream over all its generations."""

from dataclasses import dataclass, fields

from gateway.hls.packager import Packager
from gateway.hls.timeline import AUDIO_HZ


@dataclass(frozen=True, slots=True)
class PackagingFigures:
    """Counters of one generation, or of several added up."""

    video_parts: int = 0
    audio_parts: int = 0
    discontinuities: int = 0
    segments_without_keyframe: int = 0
    parts_over_target: int = 0
    """Parts of one picture that lasted longer than the announced part target."""
    frames_incomplete: int = 0
    """Pictures of which a packet never came."""
    frames_undecodable: int = 0
    """Whole pictures left out because one before was lost, until the next keyframe."""
    frames_reordered: int = 0
    """Pictures left out because their timestamps went back."""
    concealed_seconds: float = 0.0
    """Silence in the place of sound that did not come."""

    def __add__(self, other: "PackagingFigures") -> "PackagingFigures":
        names = (each.name for each in fields(self))
        return PackagingFigures(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @classmethod
    def of(cls, packager: Packager) -> "PackagingFigures":
        """What one packager has counted so far."""
        reader, writer, pipeline = packager.reader, packager.video_writer, packager.audio_pipeline
        return cls(
            video_parts=packager.video.parts_made,
            audio_parts=packager.audio.parts_made if packager.audio is not None else 0,
            discontinuities=packager.breaks,
            segments_without_keyframe=writer.segments_without_keyframe,
            parts_over_target=writer.parts_over_target,
            frames_incomplete=reader.incomplete + writer.unparsable if reader is not None else 0,
            frames_undecodable=reader.undecodable + writer.undecodable if reader is not None else 0,
            frames_reordered=writer.reordered,
            concealed_seconds=pipeline.figures.concealed_samples / AUDIO_HZ if pipeline is not None else 0.0,
        )
