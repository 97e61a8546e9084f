"""The studios' voice is sound, and lasts as long as it is to."""

from gateway.hls.audio import FRAME_SAMPLES, AudioTranscoder, OpusPacket
from tests.bench.hls.voice import PACKET_SAMPLES, voice_packets

SILENT_FRAME_BYTES = 20


def test_voice_is_not_silent_in_the_gateways_transcoder() -> None:
    packets = voice_packets(1.0)
    assert [packet.pts_rtp_ticks for packet in packets] == list(range(0, 50 * PACKET_SAMPLES, PACKET_SAMPLES))
    transcoder = AudioTranscoder()
    frames = transcoder.transcode([OpusPacket(packet.payload, packet.pts_rtp_ticks) for packet in packets])
    assert len(frames) > 40 * PACKET_SAMPLES // FRAME_SAMPLES
    assert sum(len(frame.payload) > SILENT_FRAME_BYTES for frame in frames) > len(frames) // 2
    assert transcoder.undecodable == 0
