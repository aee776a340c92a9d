"""How the daemon speaks: structlog to a terminal, or as JSON to the journal."""

import logging
import sys
from typing import Literal

import structlog

_LOUDEST = {"apscheduler": "ERROR", "paho": "WARNING", "uvicorn": "WARNING", "asyncio": "WARNING"}
"""What libraries may say at most: APScheduler warns of every run that comes too soon."""


def set_up(level: str, style: Literal["auto", "json", "text"]) -> None:
    """Send events of ours and warnings of libraries to standard error."""
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, loudest in _LOUDEST.items():
        logging.getLogger(name).setLevel(loudest)
