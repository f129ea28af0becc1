"""Keeping credentials out of messages."""

from __future__ import annotations

__all__ = ["hidden", "redacted"]

import re

_USERINFO = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*@(?=[^/?#\s@])")
# Not percent-encoded as it should be: a slash in a password must not show what is before it.
_PASSWORD_WITH_SLASH = re.compile(r"(?<=://)[^/?#\s@:]+:(?!\d{1,5}[/?#])[^\s@'\"]*@(?=[^/?#\s@])")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:[a-z0-9_.-]*(?:token|signature|credential|password|secret|key))|sig)=[^&#\s]+"
)


def redacted(text: str) -> str:
    """Return `text` with the user part and the secret parameters of every URL in it replaced by `***`."""
    for pattern in (_USERINFO, _PASSWORD_WITH_SLASH):
        text = pattern.sub("***@", text)
    return _SECRET_PARAMETER.sub(r"\1=***", text)


def hidden(url: str) -> str:
    """Return what somebody wrote for a URL, well or not, without anything that may be a password in it."""
    _, at, rest = url.rpartition("@")
    return redacted(f"***@{rest}" if at else url)
