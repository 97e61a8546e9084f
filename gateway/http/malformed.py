"""Requests that the HTTP parser refuses: counted, and told in the log a line a second at most, never quoted.

aiohttp answers them itself, and logs each with a traceback that ends in what it did not like: a header with a token,
often enough. It is given a logger that ends here.
"""

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from aiohttp import http_exceptions, web

from gateway.clock import monotonic_s
from gateway.metrics import Sample

log = structlog.get_logger()

LINE_EVERY_S = 1.0
"""A port scanner, or one client with a bug, must not fill a disk."""

_CAUSE_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (http_exceptions.LineTooLong, "too_long"),
    (http_exceptions.InvalidHeader, "header"),
    (http_exceptions.BadStatusLine, "request_line"),
    (http_exceptions.InvalidURLError, "request_line"),
    (http_exceptions.PayloadEncodingError, "body"),
    (web.RequestPayloadError, "body"),
    (http_exceptions.HttpProcessingError, "syntax"),
)
"""The first that fits; "syntax" is whatever else the parser refuses."""

CAUSES = tuple(dict.fromkeys(cause for _, cause in _CAUSE_BY_ERROR))
"""The labels of `railbird_malformed_requests_total`."""


class Malformed(logging.Handler):
    """See the module. `logger` is for aiohttp's server alone: it has no parent and no other handler."""

    def __init__(self, now_s: Callable[[], float] = monotonic_s) -> None:
        super().__init__()
        self.logger = logging.Logger("gateway.http")
        self.logger.addHandler(self)
        self._now_s = now_s
        self._counts: Counter[str] = Counter()
        self._untold = 0
        self._next_line_s = now_s()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`. Of the record only what kind of error it has is used: its words quote the request."""
        error = record.exc_info[1] if record.exc_info else None
        cause = next((cause for kind, cause in _CAUSE_BY_ERROR if isinstance(error, kind)), None)
        if cause is not None:
            self._counts[cause] += 1
        self._untold += 1
        if self._now_s() < self._next_line_s:
            return
        if cause is not None:
            log.warning("malformed request", cause=cause, requests=self._untold)
        else:
            log.error("HTTP server failed", error=type(error).__name__, at=_place(error), requests=self._untold)
        self._untold, self._next_line_s = 0, self._now_s() + LINE_EVERY_S

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        for cause in CAUSES:
            yield "railbird_malformed_requests_total", (cause,), self._counts[cause]


def _place(error: BaseException | None) -> str:
    """Where it was raised, as `file.py:line`."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else None
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
