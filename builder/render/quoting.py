"""How values may be spelled in a Dockerfile, and how the rest is refused.

Names, paths and addresses are checked against what they can be at all, so
that they need no quoting. Free text (the values of ENV and LABEL, arguments of
commands, comments) is one line of printable text and is quoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from builder.errors import LockError
from builder.model import check_line, shortened

__all__ = [
    "absolute_path",
    "docker_text",
    "environment_name",
    "file_name",
    "image_reference",
    "json_list",
    "line",
    "relative_path",
    "sha256",
    "shown",
    "stage_name",
    "url",
]

_STAGE = re.compile(r"[a-z][a-z0-9]*(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_FILE = re.compile(r"[A-Za-z0-9_+~%=@,:!.-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+/[A-Za-z0-9._~:/?@!&()*+,;=%-]+")
_DIGITS = re.compile(r"[0-9a-f]{64}")
_IMAGE = re.compile(
    r"[a-z0-9]+(?:[.-]+[a-z0-9]+)*(?::[0-9]+)?"  # the registry, or the first component
    r"(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"@sha256:[0-9a-f]{64}"
)
_LONGEST_NAME = 128


def line(text: str) -> str:
    """Return `text` if it is one line of printable text (LockError)."""
    try:
        return check_line(text)
    except ValueError as error:
        raise LockError(f"{shown(text)}: {error}") from None


def stage_name(text: str) -> str:
    """Return `text` if it can name a stage; BuildKit wants stages to be spelled like image names."""
    return _text_matching(_STAGE, text, "a name of lower-case letters, digits, - . and _")


def file_name(text: str) -> str:
    """Return `text` if it is a plain file name that no quoting rule and no wildcard touches."""
    if text in {".", "..", "SHA256SUMS", "requirements.txt"}:
        raise LockError(f"a file cannot be called {text}")
    return _text_matching(_FILE, text, "a plain file name", longest=255)


def relative_path(text: str) -> str:
    """Return `text` if it is a path of plain file names."""
    for part in text.split("/"):
        file_name(part)
    return text


def absolute_path(text: str) -> str:
    """Return `text` if it is / or an absolute path of plain file names."""
    if text == "/":
        return text
    if not text.startswith("/"):
        raise LockError(f"expected an absolute path, got {shown(text)}")
    for part in text[1:].split("/"):
        if part in {"", ".", ".."}:
            raise LockError(f"expected an absolute path without . and .., got {shown(text)}")
        _text_matching(_FILE, part, "a path of plain names", longest=255)
    return text


def environment_name(text: str) -> str:
    """Return `text` if it can name an environment variable."""
    return _text_matching(_VARIABLE, text, "the name of an environment variable")


def url(text: str) -> str:
    """Return `text` if it is an http(s) URL, percent-encoded, without credentials, and no git repository."""
    if text.endswith(".git"):
        raise LockError(f"BuildKit would take {shown(text)} for a git repository")
    return _text_matching(_URL, text, "a plain http or https URL", longest=4096)


def image_reference(text: str) -> str:
    """Return `text` if it names an image by digest."""
    return _text_matching(_IMAGE, text, "an image by digest", longest=512)


def sha256(text: str) -> str:
    """Return `text` if it is a SHA-256 in hexadecimal digits."""
    return _text_matching(_DIGITS, text, "64 lower-case hexadecimal digits")


def docker_text(text: str) -> str:
    """Return `text` in double quotes, so that ENV and LABEL take it as it is: nothing is expanded."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", line(text)) + '"'


def json_list(texts: Iterable[str]) -> str:
    """Return `texts` as the JSON list that ENTRYPOINT and CMD take; Docker expands nothing in it."""
    return json.dumps([line(text) for text in texts], ensure_ascii=False)


def _text_matching(form: re.Pattern[str], text: str, what: str, *, longest: int = _LONGEST_NAME) -> str:
    if len(text) > longest:
        raise LockError(f"expected {what} of at most {longest} characters, got {shown(text)}")
    if not form.fullmatch(text):
        raise LockError(f"expected {what}, got {shown(text)}")
    return text


def shown(text: str) -> str:
    """Return `text` in quotes, short and printable enough for a message."""
    return shortened(text)
