"""The section of the first page that says how many claims hold."""

import pandas as pd

from osteotalk.report.figures.themes import themes_figure
from osteotalk.report.inputs import Run
from osteotalk.report.model import Figure, Section
from osteotalk.report.sections.calibration import by_chance
from osteotalk.report.sections.claims import few_patients, undecoyed
from osteotalk.report.words.claims import headline
from osteotalk.report.words.text import VERDICTS

ALL = "All claims"


def section(run: Run) -> Section:
    """The section of the first page."""
    frame, calibration = run.frame, run.overall.calibration
    return Section(
        anchor="summary",
        title="What holds",
        question="Which statements do the data bear out, which not, and which can they not judge?",
        body=(headline(frame, mark=run.stamp), by_chance(calibration)),
        figures=(_themes(frame, stamp=run.stamp),),
        caveats=(*undecoyed(frame), *few_patients(frame)),
    )


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
