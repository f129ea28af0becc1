"""Bytes in and out: files, processes, HTTP, credentials and the redaction of secrets.

In: paths, URLs, argument lists. Out: bytes, text, exit codes, or one error of
`builder.errors`. Knows no type of the domain, so it imports nothing but `errors`. Its
modules load heavy libraries (requests, libcurl); they are loaded on first use.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.io.credentials import Credentials
    from builder.io.curl import Ended, Exchanges
    from builder.io.exchange import (
        REDIRECT_STATUS,
        REDIRECTS,
        NoRangesError,
        NotFoundError,
        check_status,
        redirect_target,
    )
    from builder.io.files import locked, read_bytes, read_text, remove, write_atomic
    from builder.io.http import Answer, Client
    from builder.io.network import ATTEMPTS, Network, is_loopback
    from builder.io.process import Completed, ToolTimeoutError, clean_environment, run, stop_group
    from builder.io.redact import conceal, hidden, redacted
    from builder.io.replacement import replacing
    from builder.io.streams import stream
    from builder.io.transfer import Transfer, TransientError
    from builder.io.upload import Uploader
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "ATTEMPTS": "network",
            "Answer": "http",
            "Client": "http",
            "Completed": "process",
            "Credentials": "credentials",
            "Ended": "curl",
            "Exchanges": "curl",
            "Network": "network",
            "NoRangesError": "exchange",
            "NotFoundError": "exchange",
            "REDIRECTS": "exchange",
            "REDIRECT_STATUS": "exchange",
            "ToolTimeoutError": "process",
            "Transfer": "transfer",
            "TransientError": "transfer",
            "Uploader": "upload",
            "check_status": "exchange",
            "clean_environment": "process",
            "conceal": "redact",
            "hidden": "redact",
            "is_loopback": "network",
            "locked": "files",
            "read_bytes": "files",
            "read_text": "files",
            "redacted": "redact",
            "redirect_target": "exchange",
            "remove": "files",
            "replacing": "replacement",
            "run": "process",
            "stop_group": "process",
            "stream": "streams",
            "write_atomic": "files",
        },
    )

__all__ = [
    "ATTEMPTS",
    "REDIRECTS",
    "REDIRECT_STATUS",
    "Answer",
    "Client",
    "Completed",
    "Credentials",
    "Ended",
    "Exchanges",
    "Network",
    "NoRangesError",
    "NotFoundError",
    "ToolTimeoutError",
    "Transfer",
    "TransientError",
    "Uploader",
    "check_status",
    "clean_environment",
    "conceal",
    "hidden",
    "is_loopback",
    "locked",
    "read_bytes",
    "read_text",
    "redacted",
    "redirect_target",
    "remove",
    "replacing",
    "run",
    "stop_group",
    "stream",
    "write_atomic",
]
