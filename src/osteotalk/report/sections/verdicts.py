"""The sections of the first page on the claims: how many hold, and the verdict on each."""

import pandas as pd

from osteotalk.report.figures.themes import themes_figure
from osteotalk.report.model import Column, Figure, Section
from osteotalk.report.sections.calibration import by_chance
from osteotalk.report.sections.claims import few_patients, undecoyed
from osteotalk.report.tables.claims import claims_table
from osteotalk.report.words.claims import NOT_EVALUATED, NOT_TESTABLE, headline, result_words
from osteotalk.report.words.text import VERDICTS, verdict, words

ALL = "All claims"


def summary_section(
    frame: pd.DataFrame, calibration: pd.DataFrame | None, *, stamp: str
) -> Section:
    """Section that says what holds, and how often that would come up by chance.

    Parameters
    ----------
    frame
        From `osteotalk.report.tables.claims.with_verdicts`.
    calibration
        Table `calibration` of all cohorts; None if it was not run.
    stamp
        Words to print into the figure and before the counts.
    """
    return Section(
        anchor="summary",
        title="What holds",
        question="Which statements do the data bear out, which not, and which can they not judge?",
        body=(headline(frame, mark=stamp), by_chance(calibration)),
        figures=(_themes(frame, stamp=stamp),),
        caveats=(*undecoyed(frame), *few_patients(frame)),
    )


def verdicts_section(
    frame: pd.DataFrame, evidence: pd.DataFrame, *, datasets: pd.DataFrame
) -> Section:
    """Section with the matrix of claims and cohorts.

    Parameters
    ----------
    frame
        From `osteotalk.report.tables.claims.with_verdicts`.
    evidence
        Result table: claims by cohort.
    datasets
        Rows of the analysed cohorts.
    """
    several = len(datasets) > 1
    frame = frame.assign(per_cohort=per_cohort(frame["claim_id"], evidence, datasets))
    found = _verdicts(evidence)
    names = [str(name) for name in datasets["dataset"]]
    keys = {name: f"verdict in {name}" for name in names} if several else {}
    for name, key in keys.items():
        frame[key] = [found.get((str(claim), name), "") for claim in frame["claim_id"]]
    return Section(
        anchor="verdicts",
        title="The verdict on every claim",
        question="What do the cohorts say together, what each by itself, and why?",
        body=(
            "Claims stand under their theme, in the order of the table of claims, not in that of "
            "the verdicts. The table can be sorted, searched, and narrowed to a verdict, a theme "
            "or a kind of claim; a claim that could not be tested names its reason."
            + (" A symbol stands for the verdict of one cohort by itself." if several else ""),
        ),
        tables=(
            claims_table(
                frame,
                anchor="table-verdicts",
                caption="All claims, all cohorts together.",
                download="assets/verdicts.tsv",
                cohorts=tuple(Column(key, name, "symbol") for name, key in keys.items()),
            ),
        ),
    )


def _verdicts(evidence: pd.DataFrame) -> dict[tuple[str, str], str]:
    return {
        (str(row["claim_id"]), str(row["dataset"])): words(row["verdict"])
        for row in evidence.to_dict("records")
    }


def _themes(frame: pd.DataFrame, *, stamp: str) -> Figure:
    counts = pd.crosstab(frame["_theme"], frame["verdict"])
    known = [look.name for look in VERDICTS]
    order = [*known, *sorted(set(counts.columns) - set(known))]
    themes = list(dict.fromkeys(frame["_theme"]))
    counts = counts.reindex(index=themes, columns=order, fill_value=0)
    everything = counts.sum().to_frame(ALL).T
    counts = pd.concat([everything, counts])
    told = "; ".join(
        f"{theme}: " + ", ".join(f"{name} {int(n)}" for name, n in row.items() if n)
        for theme, row in counts.iterrows()
    )
    alt = f"Claims per verdict. {told}"
    return Figure(
        "figure-verdicts",
        themes_figure(counts, uid="verdicts", alt=alt, stamp=stamp),
        alt,
        "Share and number of claims per verdict, of all and by theme of the review. Each claim "
        "counts once, however well it is founded; claims share genes and patients, so they are not "
        "independent of one another. 'Not testable' and 'inconclusive' are no verdicts against a "
        "claim.",
        table="table-verdicts",
    )


def per_cohort(claim_ids: pd.Series, evidence: pd.DataFrame, datasets: pd.DataFrame) -> list[str]:
    """Verdict and result of each claim in every cohort, in words."""
    found = {
        (str(row["claim_id"]), str(row["dataset"])): row for row in evidence.to_dict("records")
    }
    cells = []
    for claim_id in claim_ids:
        parts = []
        for name in map(str, datasets["dataset"]):
            row = found.get((str(claim_id), name))
            look = verdict(row["verdict"] if row else None)
            silent = row is None or look.name in {NOT_TESTABLE, NOT_EVALUATED}
            detail = "" if row is None or silent else result_words(row)
            parts.append(f"{name}: {look.symbol} {look.name}{', ' if detail else ''}{detail}")
        cells.append("; ".join(parts))
    return cells
