"""The claims in one cohort: figures of the results and table of the evidence."""

import pandas as pd

from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Section
from osteotalk.report.sections.effects import forests
from osteotalk.report.tables.claims import claims_table, untested, with_verdicts
from osteotalk.report.words.claims import headline, is_contrast, listed_ids
from osteotalk.report.words.text import number, plural


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page: every claim, whether the cohort has evidence on it or not."""
    evidence, dataset, stamp = cohort.results.evidence, cohort.dataset, cohort.stamp
    own = evidence[evidence["dataset"].astype(str) == dataset]
    frame = with_verdicts(cohort.tables.claims, own, names=cohort.tables.names)
    return Section(
        anchor="claims",
        title="Claims in this cohort",
        question="Which statements do these patients bear out?",
        body=(headline(frame, mark=stamp),),
        figures=forests(frame, parameters=cohort.parameters, stamp=stamp, table="table-claims"),
        tables=(
            claims_table(
                frame,
                anchor="table-claims",
                caption="Evidence for every claim in this cohort.",
                download=f"assets/{dataset}_claims.tsv",
            ),
        ),
        caveats=(*undecoyed(frame), *few_patients(frame)),
    )


def undecoyed(frame: pd.DataFrame) -> tuple[str, ...]:
    """Warning on supported claims that no decoy test stands behind."""
    bare = frame[(frame["verdict"] == "supported") & frame["decoy_q"].map(number).isna()]
    if bare.empty:
        return ()
    return (
        f"No decoy test stands behind {plural(len(bare), 'supported claim')}: "
        f"{listed_ids(list(bare['claim_id']))}. Nothing shows that matched decoys would not do as "
        "well.",
    )


def few_patients(frame: pd.DataFrame) -> tuple[str, ...]:
    """Warning on contrasts, which rest on fewer patients than they look."""
    rows = frame[~untested(frame)].to_dict("records")
    patients = [number(row.get("n_informative")) for row in rows if is_contrast(row)]
    if not patients:
        return ()
    least = int(min(patients))
    return (
        f"A contrast compares patients with one another; the smallest here has "
        f"{plural(least, 'patient')}. Patients of different conditions differ in more than the "
        "condition, such as treatment or the tissue around the tumour, and nothing here adjusts "
        "for that.",
    )
