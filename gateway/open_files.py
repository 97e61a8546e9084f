"""How many files this process may have open: a player's WebSocket, or a request of LL-HLS, is one."""

import resource

import structlog

log = structlog.get_logger()


def allow_all() -> None:
    """Raise the soft limit to the hard one, and say so. The usual soft one is 1024, for the sake of select(2), which
    nobody calls here; container runtimes no longer raise it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # a hard limit above fs.nr_open, which was lowered since
        log.warning("open files stay limited", limit=soft, reason=str(error))
        return
    log.info("open files allowed", before=soft, limit=hard)
