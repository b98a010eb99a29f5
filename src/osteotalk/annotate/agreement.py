"""Our populations against what others say of the same cells."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from osteotalk.contract import UNASSIGNED, conform, empty_frame
from osteotalk.tables import above

# Where another opinion stands in obs.
SOURCES: Mapping[str, str] = {
    "author": "author_label",
    "celltypist": "celltypist_label",
    "reference": "reference_label",
}
STATE = "state"
FINE, MAJOR = "fine", "major"
LEVELS = (MAJOR, FINE)
# Borders between which names are as likely, by their stated probability.
SURENESS = (0.0, 0.5, 0.85, 0.9, 0.95, 0.99, 1.0)

_SCORES = {
    "population": "object",
    "n_expected": "int64",
    "n_called": "int64",
    "n_right": "int64",
    "n_unassigned": "int64",
    "n_not_judged": "int64",
    "precision": "float64",
    "recall": "float64",
}


def agreement_table(
    obs: pd.DataFrame,
    *,
    labels: pd.DataFrame | Sequence[Mapping[str, str]],
    populations: pd.DataFrame,
) -> pd.DataFrame:
    """Count the cells of each label of another opinion in each of our populations.

    Parameters
    ----------
    obs
        Cells of the annotated cohort: population, and any of the columns of `SOURCES`, where a
        missing value is no label.
    labels
        Rows of the table of labels that belong to the cohort: label, population.
    populations
        The vocabulary.

    Returns
    -------
    Table `agreement`: source, label ('' for cells without one), expected, population, n_cells; all
    cells of each source are in it. `expected` is the population that the table of labels gives for
    the label, or the label itself where it is a population and the table does not name it; '' if
    there is none. Without any other opinion, the table has no row.
    """
    expected = _meant(labels, populations)
    parts = []
    for source, column in SOURCES.items():
        if column not in obs:
            continue
        counts = pd.DataFrame(
            {
                "label": obs[column].astype(object).where(obs[column].notna(), "").astype(str),
                "population": obs["population"].astype(str),
            }
        ).value_counts()
        part = counts.rename("n_cells").reset_index().sort_values(["label", "population"])
        part["source"] = source
        part["expected"] = [expected.get(label, "") for label in part["label"]]
        parts.append(part)
    if not parts:
        return empty_frame("agreement")
    return conform(pd.concat(parts), table="agreement")


def of_source(agreement: pd.DataFrame, source: str) -> pd.DataFrame:
    """Rows of one source for the cells that it labels."""
    return agreement[(agreement["source"] == source) & (agreement["label"] != "")]


def adjusted_rand(agreement: pd.DataFrame, *, assigned_only: bool) -> float:
    """Adjusted Rand index of the labels, as they are written, and our populations.

    Parameters
    ----------
    agreement
        Rows of one source.
    assigned_only
        Whether unassigned cells are left out; else they are a group of their own.

    Returns
    -------
    1 for the same groups, 0 for groups by chance; NaN without a cell.

    References
    ----------
    Hubert and Arabie 1985, J. Classif. 2, 193, doi:10.1007/BF01908075.
    """
    rows = agreement[agreement["population"] != UNASSIGNED] if assigned_only else agreement
    cells = rows["n_cells"].to_numpy(dtype=np.int64)
    if not cells.sum():
        return float("nan")
    one, two = (np.repeat(pd.factorize(rows[c])[0], cells) for c in ("label", "population"))
    return float(adjusted_rand_score(one, two))


def population_scores(
    agreement: pd.DataFrame, *, populations: pd.DataFrame, level: str
) -> pd.DataFrame:
    """Precision and recall of each population that the labels speak of.

    A parent stands for the populations below it. Where a label is coarser than a population (a
    label of T and NK cells, and our CD8 T cells), it cannot tell whether that population is right:
    such cells are left out of its precision, and counted.

    Parameters
    ----------
    agreement
        Rows of one source. Cells whose label has no population are not counted here.
    populations
        The vocabulary.
    level
        `major`: both sides are replaced by their topmost ancestors. `fine`: as they are.

    Returns
    -------
    One row per expected population, in the order of the vocabulary: population; n_expected;
    n_called (it or a population below); n_right; n_unassigned (of those expected); n_not_judged
    (called, but the label is coarser); precision = n_right / (n_called - n_not_judged); recall =
    n_right / n_expected, unassigned cells counting as not found. NaN where nothing can be divided.

    Raises
    ------
    ValueError
        If the level is not known.
    """
    if level not in LEVELS:
        msg = f"level '{level}' is not known; choose one of {', '.join(LEVELS)}"
        raise ValueError(msg)
    line = ancestors(populations)
    told = agreement[agreement["expected"] != ""]
    sides = {side: told[side].astype(str) for side in ("expected", "population")}
    if level == MAJOR:
        sides = {side: names.map(lambda n: line.get(n, [n])[-1]) for side, names in sides.items()}
    cells = told["n_cells"].to_numpy(dtype=np.int64)
    expected, called = sides["expected"], sides["population"]
    rows = []
    for name in [p for p in populations["population"] if p in set(expected)]:
        is_expected = _within(expected, name, line)
        is_called = _within(called, name, line)
        coarser = expected.isin(line[name][1:]).to_numpy() & is_called
        right = int(cells[is_expected & is_called].sum())
        n_expected, n_called = int(cells[is_expected].sum()), int(cells[is_called].sum())
        judged = n_called - int(cells[coarser].sum())
        rows.append(
            {
                "population": name,
                "n_expected": n_expected,
                "n_called": n_called,
                "n_right": right,
                "n_unassigned": int(cells[is_expected & (called == UNASSIGNED).to_numpy()].sum()),
                "n_not_judged": int(cells[coarser].sum()),
                "precision": right / judged if judged else float("nan"),
                "recall": right / n_expected if n_expected else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=list(_SCORES)).astype(_SCORES)


def share_right(agreement: pd.DataFrame, *, populations: pd.DataFrame, level: str) -> pd.Series:
    """Overall agreement of one source.

    A cell is right if its population is the expected one or below it. At the fine level a cell of
    which we only told an ancestor of the expected population is neither right nor wrong.

    Returns
    -------
    n_cells (labelled), n_known (the label has a population), n_assigned (of these), n_judged,
    n_right.
    """
    line = ancestors(populations)
    told = agreement[(agreement["expected"] != "") & (agreement["population"] != UNASSIGNED)]
    rights, judged = [], []
    for name, label in zip(told["population"], told["expected"], strict=True):
        mine, theirs = line.get(str(name), [str(name)]), line.get(str(label), [str(label)])
        if level == MAJOR:
            mine, theirs = mine[-1:], theirs[-1:]
        rights.append(theirs[0] in mine)
        judged.append(rights[-1] or mine[0] not in theirs)
    cells = told["n_cells"].to_numpy(dtype=np.int64)
    known = agreement.loc[agreement["expected"] != "", "n_cells"]
    return pd.Series(
        {
            "n_cells": int(agreement["n_cells"].sum()),
            "n_known": int(known.sum()),
            "n_assigned": int(cells.sum()),
            "n_judged": int(cells[np.array(judged, dtype=bool)].sum()),
            "n_right": int(cells[np.array(rights, dtype=bool)].sum()),
        }
    )


def reliability(
    obs: pd.DataFrame,
    *,
    labels: pd.DataFrame | Sequence[Mapping[str, str]],
    populations: pd.DataFrame,
    source: str,
) -> pd.DataFrame:
    """How often major populations agree with another opinion, by how likely they are said to be.

    Parameters
    ----------
    obs
        Cells of the annotated cohort: population, major_probability, cluster, and the column of
        the source.
    labels, populations
        See `agreement_table`.
    source
        One of `SOURCES`.

    Returns
    -------
    A row per range of probabilities with a judged cell, the least likely first: least and most (of
    the range; least is in it), n_clusters (whose cells are mostly right or wrong together),
    n_judged, n_right, stated (mean probability) and share_right. Cells without a probability, which
    have their name from elsewhere, are in none of them.
    """
    line = ancestors(populations)
    expected = obs[SOURCES[source]].astype(object).map(_meant(labels, populations))
    mine, theirs = (
        names.astype(object).map(lambda name: line[name][-1] if name in line else None)
        for names in (obs["population"], expected)
    )
    judged = obs.assign(
        right=mine == theirs,
        stated=obs["major_probability"].astype(float),
        place=np.searchsorted(SURENESS[1:-1], obs["major_probability"].astype(float), "right"),
        cluster=obs["cluster"].astype(str),
    )[mine.notna() & theirs.notna() & obs["major_probability"].notna()]
    found = judged.groupby("place").agg(
        n_clusters=("cluster", "nunique"),
        n_judged=("right", "size"),
        n_right=("right", "sum"),
        stated=("stated", "mean"),
        share_right=("right", "mean"),
    )
    found.insert(0, "least", [SURENESS[place] for place in found.index])
    found.insert(1, "most", [SURENESS[place + 1] for place in found.index])
    return found.reset_index(drop=True)


def _meant(
    labels: pd.DataFrame | Sequence[Mapping[str, str]], populations: pd.DataFrame
) -> dict[str, str]:
    """Population that each label stands for; '' where the table of labels says none."""
    given = pd.DataFrame(labels, columns=["label", "population"])
    ids = populations.loc[populations["level"] != STATE, "population"]
    return {**{name: name for name in ids}, **dict(given.itertuples(index=False))}


def ancestors(populations: pd.DataFrame) -> dict[str, list[str]]:
    """Each population with its ancestors, from itself to the top."""
    return {name: [name, *above(populations, name)] for name in populations["population"]}


def _within(names: pd.Series, population: str, line: Mapping[str, list[str]]) -> np.ndarray:
    return np.array([population in line.get(name, []) for name in names], dtype=bool)
