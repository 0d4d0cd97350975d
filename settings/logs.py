"""Logs of a process: JSON lines, one event each, or readable ones on a terminal; libraries' messages in the same form.

Every line has `timestamp` (UTC), `level`, `process` and `event`. Nothing secret is logged anywhere, so nothing is
filtered here.
"""

import logging
import sys
from typing import Any, Final, TextIO

import structlog

_NOISY: Final = ("aiokafka", "faust", "mode", "kafka", "clickhouse_connect", "urllib3", "httpx")
"""Libraries whose informational messages would drown ours; their warnings are kept."""


def configure_logs(process: str, stream: TextIO = sys.stderr) -> None:
    """Set up logging for this process, once, at its start. `process` says which one it is, such as `api`."""

    def add_process(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_process,
    ]
    last: list[structlog.typing.Processor] = (
        # Plain tracebacks: the others show local variables, and those may hold secrets.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if stream.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
