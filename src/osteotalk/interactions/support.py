"""In how many patients is an edge seen?"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.stats import norm

from osteotalk import io
from osteotalk.contract import UNASSIGNED, conform, empty_frame

EDGE = ["source", "target", "ligand_complex", "receptor_complex"]


def wilson_interval(
    successes: np.ndarray, trials: np.ndarray, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of a share.

    Parameters
    ----------
    successes, trials
        Arrays of equal length; 0 trials give NaN.
    level
        Confidence.

    Returns
    -------
    Lower and upper bounds, 0 to 1.

    References
    ----------
    Wilson 1927, J. Am. Stat. Assoc. 22, 209, doi:10.1080/01621459.1927.10502953.
    """
    successes = np.asarray(successes, dtype=np.float64)
    trials = np.where(np.asarray(trials) > 0, trials, np.nan).astype(np.float64)
    z = norm.ppf(0.5 + level / 2)
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    width = (
        z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    )
    low = np.where(successes == 0, 0.0, np.clip(centre - width, 0, 1))
    high = np.where(successes == trials, 1.0, np.clip(centre + width, 0, 1))
    return np.where(np.isnan(trials), np.nan, low), np.where(np.isnan(trials), np.nan, high)


def informative_patients(obs: pd.DataFrame, *, min_cells: int) -> pd.DataFrame:
    """Patients in which two populations can be tested against each other.

    Parameters
    ----------
    obs
        `obs` of the annotated cohort: sample, patient, population.
    min_cells
        Fewest cells of both populations in one sample.

    Returns
    -------
    One row per source, target and sample where both have enough cells: source, target, sample,
    patient. A sample in which only one population has enough cells is not scored and has no row.
    """
    cells = obs[["sample", "patient", "population"]].astype(str)
    cells = cells[cells["population"] != UNASSIGNED]
    sizes = cells.value_counts().rename("n").reset_index()
    sizes = sizes[sizes["n"] >= min_cells]
    # A sample of one population is not scored: there is nothing to be specific against.
    sizes = sizes[sizes.groupby("sample")["population"].transform("size") > 1]
    pairs = sizes.merge(sizes, on=["sample", "patient"], suffixes=("_source", "_target"))
    pairs = pairs.rename(columns={"population_source": "source", "population_target": "target"})
    columns = ["source", "target", "sample", "patient"]
    return pairs[columns].sort_values(columns).reset_index(drop=True)


def is_active(interactions: pd.DataFrame, *, alpha: float) -> pd.Series:
    """Which rows of the table of interactions are active: specific at false discovery rate `alpha`.

    That both genes are detected in enough cells is why a row is in the table.
    """
    return interactions["q_value"] <= alpha


def summarise_support(
    interactions: pd.DataFrame,
    obs: pd.DataFrame,
    *,
    min_cells: int,
    alpha: float,
    not_measured: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Support of every edge over the patients of a cohort.

    Several samples of one patient count once: the patient is informative if one sample is, and
    active if the edge is active in one. An edge that a sample does not list although both
    populations are there was not detected: informative and not active. How many patients list it
    is counted apart (``n_detected``), so that "not expressed" can be told from "expressed, but not
    specific" and both from "not informative".

    Parameters
    ----------
    interactions
        Tables of all samples together; of their columns, dataset, sample, those of the edge,
        q_value and the two ranks.
    obs
        `obs` of the annotated cohort.
    min_cells, alpha
        See `informative_patients` and `is_active`.
    not_measured
        Genes that a sample did not measure, by sample: it is not informative for edges with them.

    Returns
    -------
    The table `support` (see `osteotalk.contract`), sorted by its keys: one row per edge that at
    least one sample lists.
    """
    if interactions.empty:
        return empty_frame("support")
    dataset = str(interactions["dataset"].iloc[0])
    informative = informative_patients(obs, min_cells=min_cells)
    n_informative = informative.groupby(["source", "target"])["patient"].nunique()
    patient_of = informative.drop_duplicates("sample").set_index("sample")["patient"]

    rows = interactions.assign(patient=interactions["sample"].map(patient_of))
    # Numbered edges: grouping by numbers is much faster than by four columns of text.
    rows["edge"] = rows[EDGE].astype("category").groupby(EDGE, sort=True, observed=True).ngroup()
    edges = rows.groupby("edge").agg(
        **{column: (column, "first") for column in EDGE},
        median_magnitude_rank=("magnitude_rank", "median"),
        median_specificity_rank=("specificity_rank", "median"),
    )
    edges["n_detected"] = rows.groupby("edge")["patient"].nunique()
    active = rows[is_active(rows, alpha=alpha)].groupby("edge")["patient"]
    edges["n_active"] = active.nunique().reindex(edges.index, fill_value=0)
    patients = active.agg(lambda p: ";".join(sorted(set(p))))
    edges["patients"] = patients.reindex(edges.index, fill_value="")
    keys = pd.MultiIndex.from_frame(edges[["source", "target"]])
    edges["n_informative"] = n_informative.reindex(keys).to_numpy()
    _correct_informative(edges, informative, not_measured)
    edges["support"] = edges["n_active"] / edges["n_informative"]
    edges["support_low"], edges["support_high"] = wilson_interval(
        edges["n_active"].to_numpy(), edges["n_informative"].to_numpy()
    )
    return conform(edges.assign(dataset=dataset), table="support")


def _correct_informative(
    edges: pd.DataFrame, informative: pd.DataFrame, not_measured: Mapping[str, Collection[str]]
) -> None:
    """Count again the informative patients of edges with a gene that a sample lacks, in place."""
    lacking = {sample: set(genes) for sample, genes in not_measured.items()}
    partly = set().union(*lacking.values())
    genes = (edges["ligand_complex"] + "_" + edges["receptor_complex"]).str.split("_").map(set)
    by_ends = dict(tuple(informative.groupby(["source", "target"])))
    counts = edges["n_informative"].to_numpy(copy=True)
    for row in np.flatnonzero([bool(own & partly) for own in genes]):
        own = genes.iloc[row]
        places = by_ends[edges["source"].iloc[row], edges["target"].iloc[row]]
        measured = [not own & lacking.get(sample, set()) for sample in places["sample"]]
        counts[row] = places.loc[measured, "patient"].nunique()
    edges["n_informative"] = counts


def support_of_files(
    files: Sequence[str | Path],
    obs: pd.DataFrame,
    *,
    min_cells: int,
    alpha: float,
    not_measured: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Support of every edge, read from the samples' tables one source population at a time.

    So a cohort of a hundred samples needs no more memory than its largest part.

    Parameters
    ----------
    files
        Tables `interactions`, one per sample.
    obs, min_cells, alpha, not_measured
        See `summarise_support`.

    Returns
    -------
    The table `support`.
    """
    columns = ["dataset", "sample", *EDGE, "q_value", "magnitude_rank", "specificity_rank"]
    parts = []
    for source in sorted(set(obs["population"].astype(str)) - {UNASSIGNED}):
        rows = [
            io.read_columns(path, columns, table="interactions", source=source) for path in files
        ]
        filled = [part for part in rows if len(part)]
        if filled:
            part = pd.concat(filled, ignore_index=True)
            parts.append(
                summarise_support(
                    part, obs, min_cells=min_cells, alpha=alpha, not_measured=not_measured
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else empty_frame("support")


def supported(support: pd.DataFrame, *, min_patients: int, min_support: float) -> pd.DataFrame:
    """Edges seen in enough of enough informative patients."""
    enough = (support["n_informative"] >= min_patients) & (support["support"] >= min_support)
    return support[enough].reset_index(drop=True)


def cell_counts(obs: pd.DataFrame, populations: Sequence[str]) -> dict[str, int]:
    """Cells per population of a cohort, in the order of the vocabulary."""
    sizes = obs["population"].astype(str).value_counts()
    return {name: int(sizes[name]) for name in populations if name in sizes}
