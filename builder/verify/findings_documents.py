"""Findings in the forms that other programs show: SARIF 2.1.0 and JUnit's XML. Pure.

Both say what the run left unproven: SARIF as notifications of the tool, JUnit as skipped tests. A
page without findings must not look like a proof of everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from builder.lockfile import RULES, Examined, Finding, Level, Proof
from builder.model import Sha256, printable
from builder.verify.report import gravest_first, not_proven

__all__ = ["as_junit", "as_sarif"]

_SARIF_LEVELS = {
    Level.ERROR: "error",
    Level.UNKNOWN: "warning",
    Level.WARNING: "warning",
    Level.NOTE: "note",
}
_LOCKS = "lock"
"""The folder that a finding about no single lock is shown at."""


def as_sarif(proofs: Sequence[Proof], *, version: str) -> dict[str, Any]:
    """Return the findings as a SARIF log of one run; `version` is this program's."""
    findings = gravest_first(proofs)
    rules = sorted({finding.rule.id for finding in findings})
    return {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lockwright",
                        "version": version,
                        "rules": [
                            {"id": rule, "shortDescription": {"text": RULES[rule].says}} for rule in rules
                        ],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": f"not proven: {claim}; {option} proves it"}}
                            for claim, option in not_proven(proofs)
                        ],
                    }
                ],
                "results": [_sarif_result(finding, rules) for finding in findings],
            }
        ],
    }


def _sarif_result(finding: Finding, rules: Sequence[str]) -> dict[str, Any]:
    text = _finding_text(finding)
    uri = quote(printable(finding.lock) or _LOCKS)
    identity = f"{finding.rule.id}\n{finding.lock}\n{finding.row}\n{finding.text}"
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": rules.index(finding.rule.id),
        "level": _SARIF_LEVELS[finding.rule.level],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}}}],
        "partialFingerprints": {"finding/v1": str(Sha256.of(identity.encode("utf-8", "surrogatepass")))},
    }


def _finding_text(finding: Finding) -> str:
    row = f"{printable(finding.row)}: " if finding.row else ""
    hint = f" ({printable(finding.hint)})" if finding.hint else ""
    return f"{row}{printable(finding.text)}{hint}"


def as_junit(locks: Sequence[Examined], proofs: Sequence[Proof]) -> str:
    """Return one suite for each proof, with a test for each lock: it fails if a finding fails the run.

    Other findings stand in the output of their test. What was not proven is a skipped test.
    """
    suites = [_junit_suite(proof, [one.name for one in locks]) for proof in proofs]
    open_claims = not_proven(proofs)
    if open_claims:
        suites.append(_open_suite(open_claims))
    root = ET.Element("testsuites", name="lockwright verify")
    root.extend(suites)
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_suite(proof: Proof, locks: Sequence[str]) -> ET.Element:
    names = list(dict.fromkeys((*locks, *(finding.lock for finding in proof.findings))))
    cases = [_junit_case(proof, name) for name in names]
    suite = ET.Element("testsuite", name=proof.name, tests=str(len(cases)), skipped="0")
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.extend(cases)
    return suite


def _junit_case(proof: Proof, lock: str) -> ET.Element:
    case = ET.Element("testcase", classname=proof.name, name=printable(lock) or _LOCKS)
    own = [finding for finding in proof.findings if finding.lock == lock]
    failing = [finding for finding in own if finding.rule.exit]
    if failing:
        failure = ET.SubElement(case, "failure", type=failing[0].rule.id, message=_finding_text(failing[0]))
        failure.text = "\n".join(_lines_of(failing))
    if rest := [finding for finding in own if not finding.rule.exit]:
        ET.SubElement(case, "system-out").text = "\n".join(_lines_of(rest))
    return case


def _lines_of(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"{finding.rule.level.value} {finding.rule.id}: {_finding_text(finding)}"


def _open_suite(claims: Sequence[tuple[str, str]]) -> ET.Element:
    count = str(len(claims))
    suite = ET.Element("testsuite", name="not proven", tests=count, failures="0", skipped=count)
    for claim, option in claims:
        case = ET.SubElement(suite, "testcase", classname="not proven", name=claim)
        ET.SubElement(case, "skipped", message=f"{option} proves it")
    return suite
