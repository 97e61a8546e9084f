"""The profile that a node is watched by: its file may be edited long before anybody applies it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from node_tuner.errors import ProfileError
from node_tuner.profile.schema import Profile
from node_tuner.regular_file import content
from node_tuner.result import Overall, Result

_MAX_BYTES = 1 << 20
"""Of a result: many times a real one."""

log = structlog.get_logger()


class Followed:
    """The profile as it was read first; another, once the result says that the node was tuned by it."""

    def __init__(self, load: Callable[[], Profile], result: Path) -> None:
        """ProfileError where there is none to begin with."""
        self._load, self._result = load, result
        self._latest = load()

    def latest(self) -> Profile:
        """Now. An edited file that nobody has applied, or that is refused, changes nothing."""
        applied = _applied(self._result)
        if applied not in (None, self._latest.digest):
            try:
                profile = self._load()
            except ProfileError as error:
                log.error("the profile is refused", reason=str(error), consequence="the one of before is watched")
                return self._latest
            if profile.digest == applied:
                log.info("another profile was applied", profile=profile.name, digest=applied)
                self._latest = profile
        return self._latest


def _applied(path: Path) -> str | None:
    """The digest of the profile that the result's writer has tuned the node by, or found it tuned by."""
    try:
        result = Result.parse(content(path, _MAX_BYTES).decode())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    is_tuned_by = result.command == "apply" or result.overall is not Overall.FAILED
    return result.profile.digest if is_tuned_by else None
