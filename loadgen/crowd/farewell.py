"""How a player left, from its last look until the server has its DELETE."""

from dataclasses import dataclass

from loadgen.crowd.journey import CLOSED_BY_SERVER, INTERNAL_ERROR

_WITHOUT_DELETE = ("tab_close", CLOSED_BY_SERVER, INTERNAL_ERROR)


@dataclass(slots=True)
class Farewell:
    """How and when a player left: what comes until the server has its DELETE is counted, but not watched any more."""

    end: str
    left_s: float
    is_taken: bool = False
    """Whether the server answered the DELETE with success."""

    @property
    def is_owed(self) -> bool:
        """Whether the server should have answered, and has not: it may keep the session."""
        return not self.is_taken and self.end not in _WITHOUT_DELETE
