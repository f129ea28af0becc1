"""Keeping credentials out of messages."""

from __future__ import annotations

__all__ = ["redacted"]

import re

_USERINFO = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*@(?=[^/?#\s@])")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:[a-z0-9_.-]*(?:token|signature|credential|password|secret|key))|sig)=[^&#\s]+"
)


def redacted(text: str) -> str:
    """Return `text` with the user part and the secret parameters of every URL in it replaced by `***`."""
    return _SECRET_PARAMETER.sub(r"\1=***", _USERINFO.sub("***@", text))
