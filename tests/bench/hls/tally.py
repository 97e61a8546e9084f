"""What players of one process counted in a window."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of answers, and how late those of the video rendition were."""

    playlists: int = 0
    """Answers to requests that named the part they wait for."""
    parts: int = 0
    refused: int = 0
    """Answers with another status than 200."""
    missed: int = 0
    """Requests not sent, as the answer to the one before was not here yet; connections that the server closed."""
    playlist_bytes: int = 0
    """Of those playlists, packed as they came."""
    part_bytes: int = 0
    cpu_s: float = 0.0
    """That the process of the players used, for all of this."""
    playlists_late_s: list[float] = field(default_factory=list)
    """From the end of the part that was waited for (see `Playlist.parts`) to the answer; below 0 where the playlist's
    dates, which are an estimate, lie some milliseconds late."""
    parts_late_s: list[float] = field(default_factory=list)
    """From the part's end to its last byte."""

    @property
    def requests(self) -> int:
        """Answered."""
        return self.playlists + self.parts + self.refused
