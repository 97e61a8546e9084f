import pytest

from gateway.errors import WireError
from loadgen.hls.multivariant import Multivariant, parse_multivariant

TEXT = """\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="audio",NAME="No sound",URI="text.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="other",NAME="Another",DEFAULT=YES,URI="other.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Second",URI="second.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="First",DEFAULT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.42e01f,mp4a.40.2",AUDIO="audio"

video.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2000000
high.m3u8
"""


def test_first_variant_is_taken_with_the_default_of_its_audio() -> None:
    assert parse_multivariant(TEXT) == Multivariant("video.m3u8", "audio.m3u8")


def test_first_of_the_group_is_taken_where_none_is_the_default() -> None:
    text = TEXT.replace('NAME="First",DEFAULT=YES', 'NAME="First"')
    assert parse_multivariant(text).audio_uri == "second.m3u8"


@pytest.mark.parametrize(("old", "new"), [(',AUDIO="audio"', ""), (',DEFAULT=YES,URI="audio.m3u8"', ",DEFAULT=YES")])
def test_variant_may_have_its_audio_in_itself(old: str, new: str) -> None:
    assert parse_multivariant(TEXT.replace(old, new)).audio_uri is None


@pytest.mark.parametrize(
    "text",
    ["", "#EXTM3U\n", TEXT[1:], "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", TEXT.replace('"audio"\n', '"none"\n')],
)
def test_playlist_that_names_nothing_to_watch_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        parse_multivariant(text)
