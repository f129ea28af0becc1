"""The SPDX expression of a wheel's licence, where its own metadata states one without doubt. Pure.

`License-Expression` is one by definition. The older `License` field is free
text and a classifier often a family ("BSD License"): they count only where
they can mean one thing. What is in doubt is left empty, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

__all__ = ["LicenseStatement", "spdx_expression"]

_CLASSIFIER = "License :: "
_LONGEST = 200  # characters; a longer License field is the licence's text

_NAME_IDS = {
    "0bsd": "0BSD",
    "2-clause bsd license": "BSD-2-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd-2-clause license": "BSD-2-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mozilla public license, version 2.0": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "new bsd license": "BSD-3-Clause",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "the unlicense": "Unlicense",
}
"""Names in the `License` field, in lower case, that are not SPDX ids and mean exactly one."""

_CLASSIFIER_IDS = {
    "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "Zero-Clause BSD (0BSD)": "0BSD",
    "zlib/libpng License": "Zlib",
}
"""The last words of trove classifiers that mean exactly one licence; "BSD License" and the like do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseStatement:
    """What metadata says about its licence, word for word."""

    expression: str = ""
    """The `License-Expression` field."""
    text: str = ""
    """The `License` field, where it is one short line."""
    classifiers: tuple[str, ...] = ()
    """The trove classifiers that begin with `License`."""

    @classmethod
    def of(cls, *, expression: str, text: str, classifiers: tuple[str, ...]) -> LicenseStatement:
        """Take the fields of core metadata; a `License` field that is a whole text is dropped."""
        name = text.strip()
        short = len(name) <= _LONGEST and "\n" not in name
        licences = sorted({item for item in classifiers if item.startswith(_CLASSIFIER)})
        return cls(expression=expression.strip(), text=name if short else "", classifiers=tuple(licences))


def spdx_expression(statement: LicenseStatement) -> str:
    """Return the one SPDX expression that `statement` can mean, or an empty text.

    A field and a classifier that contradict each other, and several
    classifiers without a field (both, or a choice?), mean nothing.
    """
    if statement.expression:
        return _canonical_expression(statement.expression)
    words = [item.rpartition(" :: ")[2] for item in statement.classifiers]
    words = [word for word in words if word != "OSI Approved"]
    known = {_CLASSIFIER_IDS[word] for word in words if word in _CLASSIFIER_IDS}
    named = _NAME_IDS.get(" ".join(statement.text.lower().split())) or _canonical_expression(statement.text)
    if named:
        return named if known <= set(_license_ids(named)) else ""
    return known.pop() if len(words) == 1 and known else ""


def _canonical_expression(text: str) -> str:
    try:
        return canonicalize_license_expression(text) if text else ""
    except InvalidLicenseExpression:
        return ""


def _license_ids(expression: str) -> list[str]:
    return [word for word in re.split(r"[()\s]+", expression) if word not in {"", "AND", "OR", "WITH"}]
