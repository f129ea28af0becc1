"""A static site that people look at: what is locked, why, from where, by whose word, and what changed.

In: what `matrix`, `verify`, `diff`, `graph` and `attest` found, as values. Out: pages of HTML by their path.
Each stands alone: no network, no server, readable without scripts. Imports these packages. Pure.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.report.alignment_record import read_judged_claims
    from builder.report.build_record import read_build_records
    from builder.report.facts import ReleaseDate, ReportFacts
    from builder.report.site import report_pages
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "ReleaseDate": "facts",
            "ReportFacts": "facts",
            "read_build_records": "build_record",
            "read_judged_claims": "alignment_record",
            "report_pages": "site",
        },
    )

__all__ = ["ReleaseDate", "ReportFacts", "read_build_records", "read_judged_claims", "report_pages"]
