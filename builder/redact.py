"""Keeping credentials out of messages: every error of `builder.errors` is redacted when it is read."""

from __future__ import annotations

__all__ = ["conceal", "concealed", "hidden", "redacted"]

import re
from urllib.parse import quote, quote_plus

_USERINFO = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*@(?=[^/?#\s@])")
# Not percent-encoded as it should be: a slash in a password must not show what is before it.
_PASSWORD_WITH_SLASH = re.compile(r"(?<=://)[^/?#\s@:]+:(?!\d{1,5}[/?#])[^\s@'\"]*@(?=[^/?#\s@])")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:[a-z0-9_.-]*(?:token|signature|credential|password|secret|key))|sig)=[^&#\s]+"
)
_SHORTEST = 4  # letters; what is shorter stands in too many words to be found again
_secrets: set[str] = set()  # of this process: what it has sent as a password, to nobody else than it was for


def conceal(*secrets: str) -> None:
    """Remember passwords, tokens and headers, so that no message shows them, whoever repeats them to us."""
    for secret in secrets:
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            if len(form) >= _SHORTEST:
                _secrets.add(form)


def concealed(text: str) -> str:
    """Return `text` with `***` in the place of everything that `conceal` was told."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def redacted(text: str) -> str:
    """Return `text` with `***` for user parts and secret parameters of URLs, and for what is concealed."""
    text = concealed(text)
    for pattern in (_USERINFO, _PASSWORD_WITH_SLASH):
        text = pattern.sub("***@", text)
    return _SECRET_PARAMETER.sub(r"\1=***", text)


def hidden(url: str) -> str:
    """Return what somebody wrote for a URL, well or not, without anything that may be a password in it."""
    _, at, rest = url.rpartition("@")
    return redacted(f"***@{rest}" if at else url)
