"""How markers, copy number and private clusters become one probability, a call and a reason."""

import numpy as np

YES, NO, UNDETERMINED = "yes", "no", "undetermined"

# What the markers say of a cell.
TUMOUR, NORMAL_LINEAGE, OTHER = "tumour", "reference", "other"
UNNAMED, TWO_LINEAGES = "unassigned", "two lineages"
ROLES = (TUMOUR, NORMAL_LINEAGE, OTHER, UNNAMED, TWO_LINEAGES)

# A probability of tumour from which a cell is called malignant; not malignant up to 1 less this.
SURE = 0.9
# Names by markers are right in nineteen of twenty cells; none counts for more than that.
MARKERS_AT_MOST = 0.95
# Least probability of a name by markers for a reference cell.
SURE_REFERENCE = 0.95
# What a hint that does not settle it multiplies the odds of tumour by: a cluster private to a
# patient, or one changed arm. It makes the most normal of marker names undetermined and no more,
# and leaves a cell without a name undetermined: from 1:19 to 1:4, from 1:1 to 5:1.
HINT = 5.0

# What becomes of the name of the population.
KEEP, TO_TUMOUR, TO_UNASSIGNED = "", "tumour", "unassigned"

MARKER_WORDS = {
    TUMOUR: "tumour by its markers",
    NORMAL_LINEAGE: "of a normal lineage by its markers",
    OTHER: "no tumour cell by its markers",
    UNNAMED: "no population by its markers",
    TWO_LINEAGES: "looks like two lineages at once",
}


def marker_odds(role: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Odds of tumour by the markers alone.

    Parameters
    ----------
    role
        What the markers say of each cell, of `ROLES`.
    probability
        That the name is right; NaN where there is none.

    Returns
    -------
    One value per cell; 1 for a cell without a name or probability. That a normal name is wrong
    counts as tumour, so the odds of a doubtful one are on the safe side.
    """
    right = np.clip(np.nan_to_num(probability, nan=0.5), 1 - MARKERS_AT_MOST, MARKERS_AT_MOST)
    right = np.where(np.isin(role, (UNNAMED, TWO_LINEAGES)), 0.5, right)
    tumour = np.where(role == TUMOUR, right, 1 - right)
    return np.asarray(tumour / (1 - tumour))


def malignant_probability(
    *,
    role: np.ndarray,
    probability: np.ndarray,
    copy_number: np.ndarray,
    one_arm: np.ndarray,
    private: np.ndarray,
) -> np.ndarray:
    """Probability that each cell is a tumour cell.

    The odds by the markers, by copy number and by a private cluster are multiplied. In a group
    with one changed arm of its own the odds are no less than those by the markers and this hint.

    Parameters
    ----------
    role, probability
        See `marker_odds`.
    copy_number
        Odds of tumour by the copy number of the cell and its cluster; NaN where the tumour of the
        sample is not known by copy number.
    one_arm
        True in a group with one changed arm of its own.
    private
        True in a cluster private to the cell's patient. It tells nothing of reference lineages,
        whose states may differ from patient to patient.

    Returns
    -------
    NaN for a likely doublet of two lineages, and for a cell of which nothing is known.
    """
    odds = marker_odds(role, probability)
    own = private & (role != NORMAL_LINEAGE)
    odds = odds * np.where(own, HINT, 1.0)
    told = np.isfinite(copy_number)
    joined = np.where(told, odds * np.where(told, copy_number, 1.0), odds)
    joined = np.where(one_arm, np.maximum(joined, odds * HINT), joined)
    result = joined / (1 + joined)
    unknown = (role == UNNAMED) & ~told & ~one_arm & ~own
    return np.where(unknown | (role == TWO_LINEAGES), np.nan, result)


def calls_of(probability: np.ndarray) -> np.ndarray:
    """Call of each cell: yes, no or undetermined."""
    edge = 1e-9  # 1 - 0.9 is not quite 0.1
    named = [probability >= SURE - edge, probability <= 1 - SURE + edge]
    return np.select(named, [YES, NO], UNDETERMINED).astype(object)


def new_names(*, role: np.ndarray, call: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """What becomes of the name of each cell.

    A cell that is called malignant against its markers becomes tumour. Another whose name is
    likelier wrong than right, by the probability of tumour, becomes unassigned.
    """
    tumour = role == TUMOUR
    normal = np.isin(role, (NORMAL_LINEAGE, OTHER))
    against = (tumour & (probability < 0.5)) | (normal & (probability > 0.5))
    named = [(call == YES) & ~tumour, against]
    return np.select(named, [TO_TUMOUR, TO_UNASSIGNED], KEEP).astype(object)


def copy_number_words(ratio: float, share: float) -> str:
    """What copy number says of a cell and of its cluster.

    Parameters
    ----------
    ratio
        Likelihood of the cell's score in the tumour over that in the reference.
    share
        Part of its cluster that is tumour.
    """
    limit = SURE / (1 - SURE)
    cell = "is between that of the tumour and normal"
    if ratio >= limit:
        cell = "is that of the tumour"
    elif ratio <= 1 / limit:
        cell = "is normal"
    cluster = "mixed"
    if share >= SURE:
        cluster = "tumour"
    elif share <= 1 - SURE:
        cluster = "normal"
    return f"its copy number {cell}, its cluster is {cluster}"
