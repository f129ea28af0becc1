"""Trial: the checks of a lock, run in an image of it, with or without a GPU.

In: a lock, an image (a name that an engine knows, or a tar), and the programs of its checks. Out: what
each check said, and on which GPU. Containers are docker's or podman's; where neither answers, BuildKit
runs the same script in a stage. Imports `build`, `io`, `lockfile`, `oci`, `render`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.trial.outcomes import CheckOutcome, TrialResult, read_outcomes, trial_record, trial_text
    from builder.trial.runtimes import RUNTIMES, find_runtime
    from builder.trial.script import RESULTS, SCRIPT, trial_script
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "CheckOutcome": "outcomes",
            "RESULTS": "script",
            "RUNTIMES": "runtimes",
            "SCRIPT": "script",
            "TrialResult": "outcomes",
            "find_runtime": "runtimes",
            "read_outcomes": "outcomes",
            "trial_record": "outcomes",
            "trial_script": "script",
            "trial_text": "outcomes",
        },
    )

__all__ = [
    "RESULTS",
    "RUNTIMES",
    "SCRIPT",
    "CheckOutcome",
    "TrialResult",
    "find_runtime",
    "read_outcomes",
    "trial_record",
    "trial_script",
    "trial_text",
]
