"""What a scenario's studios publish, ready to be sent."""

from loadgen.scenario.schema import FileSource, GeneratedSource
from loadgen.studios.file_clip import read
from loadgen.studios.generated_clip import VideoSettings, generate
from loadgen.studios.packetizer import Pacing, PacketizedClip, packetize


def load(source: GeneratedSource | FileSource, pacing: Pacing) -> PacketizedClip:
    """Read the file, or encode the picture; takes seconds, so before the run and not on the event loop.

    Raises ScenarioError with a sentence when there is nothing that can be published.
    """
    if isinstance(source, FileSource):
        return packetize(read(source.file), pacing)
    settings = VideoSettings(
        source.size.width, source.size.height, source.frame_rate, source.bitrate_bps, source.keyframe_interval_s
    )
    return packetize(generate(settings, source.audio), pacing)
