"""Markers in the populations that were found: the numbers behind the dot plot."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.agreement import ancestors
from osteotalk.report.words.vocabulary import UNASSIGNED

SHOWN = 3  # markers of a population in the dot plot; more where there are few populations
MOST = 72  # rows of the dot plot


def group_means(
    adata: AnnData, groups: Sequence[str] | np.ndarray, *, genes: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean expression and share of cells with a count, of genes in groups of cells.

    Parameters
    ----------
    adata
        Log-normalised cells x genes.
    groups
        Group of each cell.
    genes
        Measured genes.

    Returns
    -------
    Two frames, groups (sorted) x genes: means in log1p units, and shares from 0 to 1.
    """
    codes, names = pd.factorize(np.asarray(groups, dtype=object), sort=True)
    sizes = np.bincount(codes, minlength=len(names)).astype(float)
    member = sparse.csr_matrix(
        (1 / sizes[codes], (codes, np.arange(len(codes)))), shape=(len(names), len(codes))
    )
    chosen = sparse.csr_matrix(adata[:, list(genes)].X)
    seen = chosen.copy()
    seen.data = (seen.data > 0).astype(np.float64)
    frames = [
        pd.DataFrame((member @ part).toarray(), index=names, columns=list(genes))
        for part in (chosen.astype(np.float64), seen)
    ]
    return frames[0], frames[1]


def marker_rows(
    adata: AnnData, *, markers: pd.DataFrame, populations: pd.DataFrame
) -> pd.DataFrame:
    """Every marker of the populations found, with where it is expressed.

    Parameters
    ----------
    adata
        Annotated cohort.
    markers, populations
        Tables of the config.

    Returns
    -------
    One row per marker in table order, for each population found and its ancestors: marker_of,
    gene, sign ('+' or '-'), measured ('yes' or 'no'), mean and detected in that population (with
    those below it), elsewhere (the other population with the highest mean), mean_elsewhere.
    """
    line = ancestors(populations)
    label = adata.obs["population"].astype(str).to_numpy()
    found = [name for name in pd.unique(label) if name != UNASSIGNED]
    wanted = {above for name in found for above in line.get(name, [name])}
    rows = markers[markers["population"].isin(wanted)]
    rank = {name: place for place, name in enumerate(populations["population"])}
    rows = rows.sort_values("population", key=lambda names: names.map(rank), kind="stable")
    measured = sorted(set(rows["gene"]) & set(adata.var_names))
    means, shares = group_means(adata, label, genes=measured)
    place = {str(name): row for row, name in enumerate(means.index)}
    column = {gene: number for number, gene in enumerate(measured)}
    mean, share = means.to_numpy(), shares.to_numpy()
    sizes = pd.Series(label).value_counts().reindex(means.index).to_numpy(float)
    records = []
    for row in rows.to_dict("records"):
        name, gene = row["population"], row["gene"]
        record = {"marker_of": name, "gene": gene, "sign": row.get("sign") or "+"}
        if gene in column:
            own = [place[g] for g in found if name in line.get(g, [g])]
            others = [place[g] for g in found if place[g] not in own]
            values = mean[:, column[gene]]
            best = others[int(np.argmax(values[others]))] if others else None
            record |= {
                "measured": "yes",
                "mean": float(np.average(values[own], weights=sizes[own])),
                "detected": float(np.average(share[own, column[gene]], weights=sizes[own])),
                "elsewhere": str(means.index[best]) if best is not None else "",
                "mean_elsewhere": float(values[best]) if best is not None else np.nan,
            }
        records.append({"measured": "no", "elsewhere": "", **record})
    columns = ["marker_of", "gene", "sign", "measured", "mean", "detected", "elsewhere"]
    return pd.DataFrame(records, columns=[*columns, "mean_elsewhere"])


def dots(adata: AnnData, rows: pd.DataFrame, *, columns: Sequence[str]) -> pd.DataFrame:
    """Choose the markers of the dot plot and give their values in the populations.

    The first measured positive markers of each population, in the order of the table; a gene that
    is a marker twice stands at its first place.

    Parameters
    ----------
    adata
        Annotated cohort.
    rows
        From `marker_rows`.
    columns
        Populations to show.

    Returns
    -------
    Input of `osteotalk.report.figures.grids.dot_plot`.
    """
    usable = rows[(rows["measured"] == "yes") & (rows["sign"] == "+")].drop_duplicates("gene")
    each = max(SHOWN, MOST // max(1, usable["marker_of"].nunique()))
    each = min(each, 2 * SHOWN)
    chosen = usable.groupby("marker_of", sort=False).head(each).head(MOST)
    label = adata.obs["population"].astype(str).to_numpy()
    return dot_values(adata, chosen, groups=label, columns=columns)


def dot_values(
    adata: AnnData,
    chosen: pd.DataFrame,
    *,
    groups: Sequence[str] | np.ndarray,
    columns: Sequence[str],
) -> pd.DataFrame:
    """Expression of chosen markers in groups of cells.

    Parameters
    ----------
    adata
        Annotated cohort.
    chosen
        Markers in drawing order: marker_of, gene (each once).
    groups
        Group of each cell.
    columns
        Groups to show.

    Returns
    -------
    Input of `osteotalk.report.figures.grids.dot_plot`.
    """
    means, shares = group_means(adata, groups, genes=list(chosen["gene"]))
    means, shares = means.loc[list(columns)], shares.loc[list(columns)]
    level = (means / means.max().replace(0, 1)).to_numpy()
    return pd.DataFrame(
        {
            "marker_of": np.repeat(chosen["marker_of"].to_numpy(dtype=object), len(columns)),
            "gene": np.repeat(chosen["gene"].to_numpy(dtype=object), len(columns)),
            "column": np.tile(np.array(columns, dtype=object), len(chosen)),
            "level": level.T.ravel(),
            "detected": shares.to_numpy().T.ravel(),
        }
    )
