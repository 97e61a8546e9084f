"""How many spans went where."""


class Tally:
    """Counts spans into the exporter's queue and out of it. The event loop writes `taken` and `refused`, the exporter's
    thread the other two: so no lock is needed."""

    def __init__(self) -> None:
        self.taken = 0
        self.refused = 0
        self.exported = 0
        """Attempts that ended, well or not."""
        self.failed = 0

    @property
    def waiting(self) -> int:
        """Spans in the queue."""
        return self.taken - self.exported

    @property
    def dropped(self) -> int:
        """Spans that did not get to the endpoint."""
        return self.refused + self.failed
