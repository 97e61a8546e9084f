"""The contract between what comes in and what goes out, on one page.

A `Source` (a publisher) feeds a stream's tracks; an `Outlet` (what a viewer is to the hot loop) says how packets leave
to one peer; `Sender` is the socket as the hot loop sees it. None of them knows more of the others than this.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gateway.stream.layout import Layout
from gateway.transport.address import Address
from gateway.transport.marking import Ancillary, Marks
from gateway.transport.socket import Sent
from gateway.transport.srtp import Sealer


class Source(Protocol):
    """Where a stream's packets come from."""

    @property
    def session_id(self) -> str:
        """The session that publishes."""

    @property
    def last_media_s(self) -> float:
        """When its last media packet arrived (monotonic)."""

    def request_keyframe(self, now_s: float) -> None:
        """Ask for a keyframe (PLI)."""

    def close(self, cause: str) -> None:
        """End it: another source takes the stream over, or the gateway stops."""


class Sender(Protocol):
    """Puts datagrams on the wire."""

    @property
    def max_segments(self) -> int:
        """How many datagrams one send may hold: 1 where there is no segmentation offload."""

    @property
    def marks(self) -> Marks:
        """What to say beside sends that are no video; nothing where packets are not marked."""

    @property
    def sendmsg(self) -> Callable[[Sequence[bytes | bytearray], Ancillary, int, Address], int]:
        """The bare call, for the hot loop; where it raises OSError, `send_run` says what that means."""

    @property
    def sendto(self) -> Callable[[bytes | bytearray, Address], int]:
        """The same for a datagram by itself, a tenth cheaper."""

    def ancillary(self, segment_bytes: int, count: int, mark: Ancillary = ()) -> Ancillary:
        """What `sendmsg` needs to cut `count` datagrams of `segment_bytes` with that mark; empty for one without."""

    def send_run(
        self,
        buffers: Sequence[bytes | bytearray],
        segment_bytes: int,
        count: int,
        address: Address,
        mark: Ancillary = (),
    ) -> Sent:
        """Send `count` datagrams of `segment_bytes`, the last perhaps shorter."""


class VideoState(Enum):
    """Where an outlet stands in the video track."""

    NONE = "none"
    """It takes no video."""
    WAITING = "waiting"
    """For a keyframe to begin at."""
    CATCHING_UP = "catching up"
    """Paced through the cache towards the live end."""
    LIVE = "live"


@dataclass(slots=True, eq=False)
class Outlet:
    """How packets leave to one viewer. Holds positions in the shared cache, never packets."""

    sealer: Sealer
    address: Address
    layouts: dict[str, Layout]
    """Track kind -> layout; a kind that is missing is not sent."""
    on_video_started: Callable[[float], None] = lambda _now_s: None
    """Called once with the time, when the first keyframe has been sent whole."""
    video: VideoState = VideoState.NONE
    position: int = 0
    """Next video index to send while catching up."""
    first: dict[str, int] = field(default_factory=dict)
    """Track kind -> lowest index that this viewer may be sent: where it began, or resumed after a drop."""
    deadline_s: float = 0.0
    """When catching up counts as overload."""
    allowance_bytes: float = 0.0
    """What the pacer lets it send now."""
    dropped_from_frame: int | None = None
    """First frame that it will not see, while it waits for a keyframe after an overload."""
    first_keyframe_pending: bool = True

    @property
    def key(self) -> tuple[int, ...]:
        """Outlets of one key are sent the same headers in runs of the same sizes."""
        return (self.sealer.overhead_bytes, *(layout.number for layout in self.layouts.values()))
