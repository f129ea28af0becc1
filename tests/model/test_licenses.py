"""The SPDX expression that a wheel's metadata means."""

from __future__ import annotations

import pytest

from builder.model.licenses import LicenseStatement, spdx_expression

OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("expression", "text", "classifiers", "expected"),
    [
        ("mit and apache-2.0", "", (), "MIT AND Apache-2.0"),
        ("MIT", "BSD-3-Clause", (OSI + "ISC License (ISCL)",), "MIT"),
        ("LicenseRef-Proprietary", "", (), "LicenseRef-Proprietary"),
        ("Not A Licence", "MIT", (), ""),
        ("", "MIT", (), "MIT"),
        ("", "  Apache   License 2.0 ", (), "Apache-2.0"),
        ("", "Apache 2.0", (OSI + "Apache Software License",), "Apache-2.0"),
        ("", "BSD", (), ""),
        ("", "BSD", (OSI + "BSD License",), ""),
        ("", "Apache", (OSI + "Apache Software License",), ""),
        ("", "", (OSI + "MIT License",), "MIT"),
        ("", "", ("License :: OSI Approved", OSI + "MIT License"), "MIT"),
        ("", "See LICENSE", (OSI + "Mozilla Public License 2.0 (MPL 2.0)",), "MPL-2.0"),
        ("", "", (OSI + "MIT License", OSI + "ISC License (ISCL)"), ""),
        ("", "", (OSI + "MIT License", "License :: Other/Proprietary License"), ""),
        ("", "MIT", (OSI + "ISC License (ISCL)",), ""),
        ("", "MIT OR ISC", (OSI + "ISC License (ISCL)", OSI + "MIT License"), "MIT OR ISC"),
        ("", "", ("License :: Other/Proprietary License",), ""),
        ("", "", (), ""),
    ],
)
def test_only_what_is_beyond_doubt(
    expression: str, text: str, classifiers: tuple[str, ...], expected: str
) -> None:
    statement = LicenseStatement.of(expression=expression, text=text, classifiers=classifiers)
    assert spdx_expression(statement) == expected


def test_a_whole_licence_text_is_no_name() -> None:
    found = LicenseStatement.of(
        expression="", text="MIT License\n\nPermission is hereby granted", classifiers=("Topic :: X",)
    )
    assert found == LicenseStatement()
