"""One media packet of a stream, in the stream's own sequence space, as all viewers share it."""


class MediaPacket:
    """A packet in the cache. `index` is rollovers << 16 | sequence number of the outgoing SSRC; times are in
    seconds."""

    __slots__ = (
        "arrival_s",
        "elements",
        "frame",
        "has_padding",
        "headers",
        "index",
        "is_keyframe",
        "marker",
        "payload",
        "timestamp",
    )

    def __init__(
        self,
        *,
        index: int,
        timestamp: int,
        marker: bool,
        payload: bytes,
        arrival_s: float,
        elements: tuple[tuple[str, bytes], ...] = (),
        is_keyframe: bool = False,
        has_padding: bool = False,
        frame: int = 0,
    ) -> None:
        self.index = index
        self.timestamp = timestamp
        self.marker = marker
        self.payload = payload
        """As it is encrypted, RTP padding included where `has_padding`."""
        self.arrival_s = arrival_s
        self.elements = elements
        """Header extension elements that travel with this packet: (URI, value)."""
        self.is_keyframe = is_keyframe
        self.has_padding = has_padding
        self.frame = frame
        """Ordinal of the frame (distinct timestamp) in its track."""
        self.headers: dict[int, bytes] = {}
        """Serialized headers by layout number: the same packet must have the same header forever, or a nonce is used
        twice."""
