"""The section of a claim's panel on its decoys."""

import pandas as pd

from osteotalk.report.figures.panels import decoys_figure
from osteotalk.report.inputs import Claim
from osteotalk.report.model import Figure, Section
from osteotalk.report.words.text import count

_CONTROLS = {"matched": "matched decoys", "populations": "between other populations"}


def section(claim: Claim) -> Section | None:
    """The section of a claim's panel; None where it has no decoys."""
    row, parts, stamp = claim.row, claim.statistics, claim.stamp
    split = [
        (title, {str(name): part for name, part in own.groupby("control", observed=True)})
        for title, own in parts
    ]
    seen = {name for _, by_control in split for name in by_control}
    controls = {name: title for name, title in _CONTROLS.items() if name in seen}
    if not controls:
        return None
    told = "; ".join(
        f"{title}, {controls[name]}: {_told(part)}"
        for title, by_control in split
        for name, part in by_control.items()
        if name in controls
    )
    alt = f"Decoys of {row['claim_id']}. {told}"
    svg = decoys_figure(split, controls=controls, uid="decoys", alt=alt, stamp=stamp)
    return Section(
        anchor="decoys",
        title="Against decoys",
        question="Would other pairs, genes or populations do as well?",
        figures=(
            Figure(
                "figure-decoys",
                svg,
                alt,
                "Histogram of the statistic of the decoys in each cohort, with that of the claim "
                "as a line with a diamond. The statistic is the mean over patients of a plain "
                "claim, the difference or rank correlation of a contrast, turned so that larger is "
                "in the stated direction. A claim inside the hill of its decoys is nothing "
                "special; to stand out is to be unusual, not to be true.",
            ),
        ),
    )


def _told(part: pd.DataFrame) -> str:
    role = part["role"].to_numpy() == "claim"
    values = part["statistic"].to_numpy(float)
    claim, decoys = values[role], values[~role]
    if not claim.size or not decoys.size:
        return f"{count(decoys.size)} decoys"
    return (
        f"claim {claim[0]:.3g}, {count((decoys >= claim[0]).sum())} of {count(decoys.size)} "
        "decoys at least as strong"
    )
