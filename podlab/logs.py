"""Log lines: without secrets, each one line, none without end."""

import logging
import re


class Line(logging.Formatter):
    """A log line without API tokens: they stand in addresses, which the server names when it complains of a connection, also in tracebacks.

    What visitors send is part of many messages: it begins no line of its own, and does not fill the disk.
    """

    SECRET = re.compile(r"(/k8s/|%2Fk8s%2F|Bearer |base64url\.bearer\.authorization\.k8s\.io\.)[^/\s'\",?%]+", re.IGNORECASE)
    CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
    LONGEST = 1_000  # characters of a message

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = self.CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", record.message)[:self.LONGEST]
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return self.SECRET.sub(r"\1...", super().format(record))


class WithoutTraceback(logging.Filter):
    """For what is refused every day, such as requests for hosts that are not ours: the message says it all."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True
