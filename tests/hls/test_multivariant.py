import dataclasses

from gateway.hls.multivariant import Variant, multivariant_playlist
from tests.hls.content import video_format

VARIANT = Variant(video_format(), "mp4a.40.2", 2_500_000.4, 2_000_000.6, 29.97002997, True)


def stream_inf(variant: Variant) -> str:
    (line,) = (line for line in multivariant_playlist(variant, "").splitlines() if line.startswith("#EXT-X-STREAM-INF"))
    return line


def test_video_with_its_sound() -> None:
    codec = video_format().codec
    assert multivariant_playlist(VARIANT, "abc/").splitlines() == [
        "#EXTM3U",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Table",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
        'URI="abc/audio.m3u8"',
        f'#EXT-X-STREAM-INF:BANDWIDTH=2500000,AVERAGE-BANDWIDTH=2000001,CODECS="{codec},mp4a.40.2",'
        'RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="audio"',
        "abc/video.m3u8",
    ]


def test_video_alone() -> None:
    text = multivariant_playlist(dataclasses.replace(VARIANT, audio_codec=None), "")
    assert "AUDIO" not in text.replace("AVERAGE", "")
    assert f'CODECS="{video_format().codec}"' in text
    assert text.endswith("\nvideo.m3u8\n")


def test_segments_without_keyframe_are_not_called_independent() -> None:
    assert "INDEPENDENT" not in multivariant_playlist(dataclasses.replace(VARIANT, is_independent=False), "")


def test_bandwidth_is_estimated_before_a_segment_is_whole() -> None:
    line = stream_inf(dataclasses.replace(VARIANT, peak_bps=0.0))
    assert "BANDWIDTH=2600001,AVERAGE-BANDWIDTH=2000001" in line


def test_bandwidth_is_never_below_the_average() -> None:
    assert "BANDWIDTH=2000001,AVERAGE-BANDWIDTH=2000001" in stream_inf(dataclasses.replace(VARIANT, peak_bps=1.0))


def test_rates_are_never_zero() -> None:
    line = stream_inf(dataclasses.replace(VARIANT, peak_bps=0.0, average_bps=0.0, frame_rate=0.0))
    assert "BANDWIDTH=1,AVERAGE-BANDWIDTH=1" in line
    assert "FRAME-RATE" not in line
