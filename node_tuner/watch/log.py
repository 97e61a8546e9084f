"""What `watch` says while nobody looks: one JSON object a line on standard error, as the gateway does."""

import sys

import structlog


def configure() -> None:
    """For the whole process, once."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
