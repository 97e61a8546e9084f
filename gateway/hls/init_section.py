"""The init section of a rendition: what a player must know before the first part (ISO/IEC 14496-12, -14 and -15, CMAF).

One track, no samples and no edit list: all media is in fragments, which say themselves when they begin.
"""

from dataclasses import dataclass, field
from struct import pack

from gateway.errors import MisuseError, WireError
from gateway.hls.boxes import box, full_box
from gateway.hls.fragment import TRACK_ID
from gateway.wire.formats import CLOCK_RATES_HZ
from gateway.wire.h264_sps import SequenceParameters, parse_sps

VIDEO_TIMESCALE_HZ = CLOCK_RATES_HZ["video"]
AUDIO_TIMESCALE_HZ = CLOCK_RATES_HZ["audio"]

AAC_LC = "mp4a.40.2"
"""As CODECS of a playlist (RFC 6381 section 3.3)."""

MAX_SPS = 31  # avcC counts them in five bits ...
MAX_PPS = 255  # ... and these in eight,
MAX_PARAMETER_SET_BYTES = 0xFFFF  # each with its size in sixteen
MAX_SPECIFIC_CONFIG_BYTES = 64  # of AAC-LC it is two to five; descriptor sizes below 128 take one byte

_PROFILES_WITHOUT_CHROMA = frozenset((66, 77, 88))  # ISO/IEC 14496-15 section 5.3.3.1.2

_FTYP = box(b"ftyp", b"iso6", pack(">I", 0), b"iso6", b"cmfc")
_MATRIX = pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNITY = 0x10000  # 1.0 as 16.16
_FULL_VOLUME = 0x0100  # 1.0 as 8.8
_TRACK_FLAGS = 0x000007  # enabled, in the movie, in its preview
_SELF_CONTAINED = 0x000001
_UNDETERMINED_LANGUAGE = 0x55C4  # "und", five bits a letter
_72_DPI = 0x480000
_VIDEO_DEPTH = 24

_DINF = box(b"dinf", full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, _SELF_CONTAINED)))
_NO_SAMPLES = b"".join(
    (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
)
_MVEX = box(b"mvex", full_box(b"trex", 0, 0, pack(">5I", TRACK_ID, 1, 0, 0, 0)))

# ISO/IEC 14496-1 section 7.2.2.1 and 7.2.6.6: tags, and what an AAC stream is called
_ES_DESCRIPTOR, _DECODER_CONFIG, _DECODER_SPECIFIC_INFO, _SL_CONFIG = 3, 4, 5, 6
_MPEG4_AUDIO = 0x40
_AUDIO_STREAM = 5 << 2 | 1
_SL_PREDEFINED_MP4 = b"\x02"
_SAMPLE_BITS = 16


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """The parameter sets that a video decoder begins with, as NAL units; equal where these are.

    Raises WireError where there are none or too many, where one is too long, or where the first SPS does not parse.
    """

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    parameters: SequenceParameters = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.sps) <= MAX_SPS or not 1 <= len(self.pps) <= MAX_PPS:
            raise WireError(f"{len(self.sps)} sequence and {len(self.pps)} picture parameter sets")
        if not all(1 <= len(nal) <= MAX_PARAMETER_SET_BYTES for nal in self.sps + self.pps):
            raise WireError("a parameter set is empty or too long")
        object.__setattr__(self, "parameters", parse_sps(self.sps[0]))

    @property
    def codec(self) -> str:
        """As CODECS of a playlist: "avc1.42E01F"."""
        return self.parameters.codec

    @property
    def width(self) -> int:
        """In pixels, as decoded."""
        return self.parameters.width

    @property
    def height(self) -> int:
        """In pixels, as decoded."""
        return self.parameters.height


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """AAC-LC by its AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1)."""

    specific_config: bytes
    sample_rate_hz: int = AUDIO_TIMESCALE_HZ
    channels: int = 2

    @property
    def codec(self) -> str:
        """As CODECS of a playlist (RFC 6381 section 3.3)."""
        return AAC_LC


def video_init_section(video_format: VideoFormat) -> bytes:
    """`ftyp` and `moov` of a video rendition, whose samples are in AVCC form and times in 1/90000 s."""
    parameters = video_format.parameters
    shown_width = _fixed_point(parameters.width * parameters.sar_width / parameters.sar_height)
    return _init_section(
        timescale_hz=VIDEO_TIMESCALE_HZ,
        handler=b"vide",
        volume=0,
        shown_size=shown_width + _fixed_point(parameters.height),
        media_header=full_box(b"vmhd", 0, 1, bytes(8)),
        sample_entry=_avc1(video_format),
    )


def audio_init_section(audio_format: AudioFormat) -> bytes:
    """`ftyp` and `moov` of an audio rendition, whose samples are AAC frames and times in 1/48000 s.

    Raises MisuseError where the AudioSpecificConfig is missing or too long.
    """
    return _init_section(
        timescale_hz=AUDIO_TIMESCALE_HZ,
        handler=b"soun",
        volume=_FULL_VOLUME,
        shown_size=bytes(8),
        media_header=full_box(b"smhd", 0, 0, bytes(4)),
        sample_entry=_mp4a(audio_format),
    )


def _init_section(
    timescale_hz: int, handler: bytes, volume: int, shown_size: bytes, media_header: bytes, sample_entry: bytes
) -> bytes:
    mvhd = pack(">4IIH10x", 0, 0, timescale_hz, 0, _UNITY, _FULL_VOLUME) + _MATRIX + pack(">24xI", TRACK_ID + 1)
    tkhd = pack(">5I8x4H", 0, 0, TRACK_ID, 0, 0, 0, 0, volume, 0) + _MATRIX + shown_size
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, pack(">I", 1), sample_entry), _NO_SAMPLES)
    mdia = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, pack(">4I2H", 0, 0, timescale_hz, 0, _UNDETERMINED_LANGUAGE, 0)),
        full_box(b"hdlr", 0, 0, pack(">I4s12x", 0, handler), b"\0"),
        box(b"minf", media_header, _DINF, stbl),
    )
    trak = box(b"trak", full_box(b"tkhd", 0, _TRACK_FLAGS, tkhd), mdia)
    return _FTYP + box(b"moov", full_box(b"mvhd", 0, 0, mvhd), trak, _MVEX)


def _fixed_point(number: float) -> bytes:
    """As 16.16; what does not fit is as large as can be said."""
    return pack(">I", min(round(number * _UNITY), 0xFFFFFFFF))


def _avc1(video_format: VideoFormat) -> bytes:
    parameters = video_format.parameters
    size_and_resolution = pack(">2H3I", parameters.width, parameters.height, _72_DPI, _72_DPI, 0)
    head = pack(">6xH16x", 1) + size_and_resolution + pack(">H32xHh", 1, _VIDEO_DEPTH, -1)
    square = parameters.sar_width == parameters.sar_height
    pasp = b"" if square else box(b"pasp", pack(">2I", parameters.sar_width, parameters.sar_height))
    return box(b"avc1", head, _avcc(video_format), pasp)


def _avcc(video_format: VideoFormat) -> bytes:
    """The AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3.1); sizes of NAL units take four bytes."""
    parameters = video_format.parameters
    chroma = b""
    if parameters.profile_idc not in _PROFILES_WITHOUT_CHROMA:
        bit_depths = (0xF8 | depth - 8 for depth in (parameters.bit_depth_luma, parameters.bit_depth_chroma))
        chroma = bytes((0xFC | parameters.chroma_format_idc, *bit_depths, 0))
    return box(
        b"avcC",
        bytes((1, parameters.profile_idc, parameters.constraint_flags, parameters.level_idc, 0xFC | 3)),
        bytes((0xE0 | len(video_format.sps),)),
        *[pack(">H", len(nal)) + nal for nal in video_format.sps],
        bytes((len(video_format.pps),)),
        *[pack(">H", len(nal)) + nal for nal in video_format.pps],
        chroma,
    )


def _mp4a(audio_format: AudioFormat) -> bytes:
    head = pack(">6xH8x4HI", 1, audio_format.channels, _SAMPLE_BITS, 0, 0, audio_format.sample_rate_hz << 16)
    return box(b"mp4a", head, full_box(b"esds", 0, 0, _es_descriptor(audio_format.specific_config)))


def _es_descriptor(specific_config: bytes) -> bytes:
    """ISO/IEC 14496-14 section 3.1.2; the bit rates and the buffer are left unsaid."""
    if not 1 <= len(specific_config) <= MAX_SPECIFIC_CONFIG_BYTES:
        raise MisuseError(f"an AudioSpecificConfig of {len(specific_config)} bytes")
    decoder_config = pack(">2B11x", _MPEG4_AUDIO, _AUDIO_STREAM) + _descriptor(_DECODER_SPECIFIC_INFO, specific_config)
    sl_config = _descriptor(_SL_CONFIG, _SL_PREDEFINED_MP4)
    return _descriptor(_ES_DESCRIPTOR, bytes(3) + _descriptor(_DECODER_CONFIG, decoder_config) + sl_config)


def _descriptor(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content
