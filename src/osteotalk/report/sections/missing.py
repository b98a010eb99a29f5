"""The section of the first page on cohorts that are missing."""

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section, Table


def section(run: Run) -> Section | None:
    """The section of the first page; None where no cohort is missing."""
    missing = run.overall.missing
    if not missing:
        return None
    frame = pd.DataFrame({"dataset": list(missing), "reason": list(missing.values())})
    return Section(
        anchor="missing",
        title="Cohorts that are missing",
        question="What was asked for and is not here, and why?",
        tables=(
            Table(
                "table-missing",
                frame,
                "Cohorts of the run without results, with the reason.",
                (Column("dataset", "Cohort", "code"), Column("reason", "Reason", wide=True)),
                download="assets/missing.tsv",
            ),
        ),
        caveats=(
            "Genes and pairs of the claims are checked against all cohorts together, once all have "
            "been read; as long as one is missing, that check is still to come.",
        ),
    )
