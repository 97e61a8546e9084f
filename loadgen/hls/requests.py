"""A player's requests as its renditions make them: answered or not, all are in the ledger."""

from loadgen.errors import SignallingError
from loadgen.hls.fetcher import Answer, Fetcher
from loadgen.hls.ledger import Ledger

REQUEST_TIMEOUT_S = 10.0
"""For what is there already."""
RETRY_S = 0.5
"""After a request that failed, unless the server says how long."""


class StartOverError(Exception):
    """The generation is gone, or does not answer. `cause` and `alternate` as of a failed join."""

    def __init__(self, cause: str, retry_after_s: float | None = None, alternate: str | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after_s = retry_after_s
        self.alternate = alternate


class Requests:
    """See the module."""

    def __init__(self, fetcher: Fetcher, ledger: Ledger) -> None:
        self.ledger = ledger
        self._fetcher = fetcher

    async def ask(self, url: str, timeout_s: float = REQUEST_TIMEOUT_S) -> Answer | None:
        """The answer, good or not; None without any."""
        try:
            answer = await self._fetcher.get(url, timeout_s)
        except SignallingError as error:
            self.ledger.on_no_answer(error.cause)
            return None
        self.ledger.on_answer(answer)
        return answer

    async def require(self, url: str) -> Answer:
        """What is there already, and without which there is nothing to see. StartOverError when it is not."""
        answer = await self.ask(url)
        if answer is None or not answer.is_good:
            raise start_over(answer)
        self.ledger.on_request(answer)
        return answer

    def address(self, base: str, uri: str) -> str:
        """Of `uri`. StartOverError when it leads to where nobody may be loaded."""
        try:
            return self._fetcher.joined(base, uri)
        except SignallingError as error:
            raise StartOverError(error.cause) from None


def start_over(answer: Answer | None) -> StartOverError:
    """Because of this answer, or because there was none."""
    if answer is None:
        return StartOverError("http_error")
    return StartOverError(f"http_{answer.status}", answer.retry_after_s, answer.alternate)


def retry_after_s(answer: Answer | None) -> float | None:
    """What the server said; None where it said nothing."""
    return answer.retry_after_s if answer is not None else None
