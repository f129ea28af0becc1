"""Bytes in and out: files, processes, HTTP, credentials and the redaction of secrets.

In: paths, URLs, argument lists. Out: bytes, text, exit codes, or one error of
`builder.errors`. Knows no type of the domain, so it imports nothing but `errors`. Its
modules load heavy libraries (requests, libcurl); they are loaded on first use.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face
from builder.redact import conceal, hidden, redacted

if TYPE_CHECKING:
    from builder.io.apart import call_apart
    from builder.io.credentials import Credentials
    from builder.io.curl import Ended, Exchanges
    from builder.io.download import ADMISSIONS, Access, Download, DownloadStep, download_file
    from builder.io.exchange import NoRangesError, NotFoundError
    from builder.io.files import (
        locked,
        open_regular,
        read_bytes,
        read_text,
        remove,
        replacing,
        sync_folder,
        write_atomic,
    )
    from builder.io.folders import replace_folder
    from builder.io.home import NO_HOME, user_cache_folder, user_config_folder, user_home
    from builder.io.http import Answer, Client, Head
    from builder.io.network import ATTEMPTS, LARGEST_DOCUMENT, LARGEST_FILE, Network, is_loopback
    from builder.io.once import Once
    from builder.io.places import first_answer, joined_error
    from builder.io.process import Completed, ToolTimeoutError, clean_environment, run, stop_group, stream
    from builder.io.transfer import Transfer, TransientError
    from builder.io.upload import Uploader
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "NO_HOME": "home",
            "user_cache_folder": "home",
            "user_config_folder": "home",
            "user_home": "home",
            "ADMISSIONS": "download",
            "ATTEMPTS": "network",
            "Access": "download",
            "Answer": "http",
            "Client": "http",
            "Completed": "process",
            "Credentials": "credentials",
            "Download": "download",
            "Ended": "curl",
            "Exchanges": "curl",
            "Head": "http",
            "LARGEST_DOCUMENT": "network",
            "LARGEST_FILE": "network",
            "Network": "network",
            "NoRangesError": "exchange",
            "NotFoundError": "exchange",
            "Once": "once",
            "DownloadStep": "download",
            "ToolTimeoutError": "process",
            "Transfer": "transfer",
            "TransientError": "transfer",
            "Uploader": "upload",
            "call_apart": "apart",
            "clean_environment": "process",
            "download_file": "download",
            "first_answer": "places",
            "is_loopback": "network",
            "joined_error": "places",
            "locked": "files",
            "open_regular": "files",
            "read_bytes": "files",
            "read_text": "files",
            "remove": "files",
            "replace_folder": "folders",
            "replacing": "files",
            "run": "process",
            "stop_group": "process",
            "stream": "process",
            "sync_folder": "files",
            "write_atomic": "files",
        },
    )

__all__ = [
    "ADMISSIONS",
    "ATTEMPTS",
    "LARGEST_DOCUMENT",
    "LARGEST_FILE",
    "NO_HOME",
    "Access",
    "Answer",
    "Client",
    "Completed",
    "Credentials",
    "Download",
    "DownloadStep",
    "Ended",
    "Exchanges",
    "Head",
    "Network",
    "NoRangesError",
    "NotFoundError",
    "Once",
    "ToolTimeoutError",
    "Transfer",
    "TransientError",
    "Uploader",
    "call_apart",
    "clean_environment",
    "conceal",
    "download_file",
    "first_answer",
    "hidden",
    "is_loopback",
    "joined_error",
    "locked",
    "open_regular",
    "read_bytes",
    "read_text",
    "redacted",
    "remove",
    "replace_folder",
    "replacing",
    "run",
    "stop_group",
    "stream",
    "sync_folder",
    "user_cache_folder",
    "user_config_folder",
    "user_home",
    "write_atomic",
]
