"""Variables and settings files that switch the checks of certificates, signatures and sums off. Pure.

The names are those of each tool's documentation: Node's CLI reference, git(1), PEP 493, npm's config, conda's
configuration, `go help environment`, uv's and pip's environment variables, curl(1), wget(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from builder.align.dockerfile.pin import Judgement, drift, text_excerpt

__all__ = ["off_by_text", "off_by_variables", "unsigned_judgement"]

_OFF = re.compile(r"(?i)0|false|no|off")
_ON = re.compile(r"(?i)(?!(0|false|no|off)?$).+")
_NO_CERTIFICATE = "no certificate is checked"
_VARIABLES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "BUNDLE_SSL_VERIFY_MODE": (_OFF, _NO_CERTIFICATE),
    "CONDA_SSL_VERIFY": (_OFF, _NO_CERTIFICATE),
    "CURL_CA_BUNDLE": (re.compile(""), "an empty name makes some programs check no certificate"),
    "GIT_SSL_NO_VERIFY": (_ON, _NO_CERTIFICATE),
    "GOFLAGS": (re.compile(r"(.*\s)?-insecure(\s.*)?"), _NO_CERTIFICATE),
    "GOINSECURE": (re.compile(".+"), "no certificate of these modules' servers is checked"),
    "GONOSUMDB": (re.compile(".+"), "no sum of these modules that go.sum lacks is checked"),
    "GONOSUMCHECK": (_ON, "no sum of modules that go.sum lacks is checked"),
    "GOSUMDB": (re.compile("off"), "no sum of modules that go.sum lacks is checked"),
    "NODE_TLS_REJECT_UNAUTHORIZED": (re.compile("0"), _NO_CERTIFICATE),
    "NPM_CONFIG_STRICT_SSL": (_OFF, _NO_CERTIFICATE),
    "PYTHONHTTPSVERIFY": (re.compile("0"), _NO_CERTIFICATE),
    "REQUESTS_CA_BUNDLE": (re.compile(""), "an empty name makes some programs check no certificate"),
    "UV_NO_VERIFY_HASHES": (_ON, "uv checks no hash"),
    "YARN_ENABLE_STRICT_SSL": (_OFF, _NO_CERTIFICATE),
}
"""By name: the values that switch a check off, and what is then not checked."""
_SETTINGS_FILE = re.compile(r"(?:^|/)[._]?(curlrc|wgetrc|npmrc|condarc|gitconfig|yarnrc(\.yml)?)$")
_SETTING = re.compile(
    r"(?im)^\s*-?-?insecure\s*$|\bcheck[_-]certificate\s*=\s*off|\b(enable)?strict-?ssl\s*[=: ]\s*\"?false"
    r"|\bssl_?verify\s*[=:]\s*(false|no)"
)
_UNSIGNED_SETTING = re.compile(
    r"(?i)AllowUnauthenticated=['\"]?(true|1|yes)"
    r"|Allow(Insecure|Weak|DowngradeToInsecure)Repositories=['\"]?(true|1|yes)"
    r"|\bgpgcheck\s*=\s*(0|false|no)\b|\[[^\][]{0,200}trusted=yes[^\][]{0,200}\]|^Trusted:\s*yes"
)
_UNVERIFIED_SETTING = re.compile(
    r"(?i)Verify-(Peer|Host)(::[^=]{0,80})?=['\"]?(false|0|no)|sslverify\s*=\s*(0|false|no)\b"
)


def off_by_variables(values: Iterable[tuple[str, str]]) -> list[tuple[str, Judgement]]:
    """Return what some variables switch off: each as `NAME=value`, with its judgement."""
    found = []
    for name, value in values:
        off = _VARIABLES.get(name.upper() if name.startswith("npm_") else name)
        if off and off[0].fullmatch(value):
            found.append((f"{name}={value}", drift("verification off", f"{name}={value}: {off[1]}")))
    return found


def off_by_text(text: str, path: str) -> Judgement | None:
    """Return what a text switches off that is written into the settings file of a downloader."""
    setting = _SETTING.search(text) if _SETTINGS_FILE.search(path) else None
    if setting is None:
        return None
    return drift(
        "verification off", f"{text_excerpt(setting[0])}: no certificate is checked by any later command"
    )


def unsigned_judgement(text: str) -> Judgement | None:
    """Return what a setting of a package manager in a text lets in unchecked."""
    if found := _UNSIGNED_SETTING.search(text):
        return drift("unsigned archive", f"{text_excerpt(found[0])}: no signature of the archive is checked")
    if found := _UNVERIFIED_SETTING.search(text):
        return drift(
            "verification off", f"{text_excerpt(found[0])}: no certificate of the archive is checked"
        )
    return None
