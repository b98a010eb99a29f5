"""Which droplets of a sample are single, living cells."""

import logging
import warnings
from typing import Any

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy.stats import median_abs_deviation

log = logging.getLogger(__name__)

# Below this share of mitochondrial counts (percent) a cell is never an outlier.
MITO_FLOOR = 5.0
# With fewer cells, doublets cannot be told from the rest.
MIN_CELLS_SCRUBLET = 100


def log_limits(values: np.ndarray, *, n_mads: float, floor: float) -> tuple[float, float]:
    """Limits around the median on the log scale.

    Parameters
    ----------
    values
        Positive numbers, one per cell.
    n_mads
        Width in median absolute deviations (scaled to the standard deviation of a normal).
    floor
        The lower limit is never below this.

    Returns
    -------
    Lower and upper limit in the units of `values`.
    """
    if values.size == 0:
        return floor, floor
    logs = np.log1p(values)
    centre = np.median(logs)
    width = n_mads * median_abs_deviation(logs, scale="normal")
    slack = 1e-9  # so that rounding does not make cells outliers where all are the same
    low, high = np.expm1(centre - width) * (1 - slack), np.expm1(centre + width) * (1 + slack)
    return max(float(low), floor), float(high)


def mito_limit(percent: np.ndarray, *, n_mads: float, ceiling: float) -> float:
    """Highest mitochondrial share, percent: median + `n_mads` deviations, from 5 to `ceiling`."""
    if percent.size == 0:
        return MITO_FLOOR
    width = n_mads * median_abs_deviation(percent, scale="normal")
    return float(min(max(np.median(percent) + width, MITO_FLOOR), ceiling))


def filter_cells(
    adata: AnnData,
    *,
    min_counts: int,
    min_genes: int,
    n_mads: float,
    max_pct_mito: float,
    n_mads_mito: float,
    doublet_rate: float,
    seed: int,
) -> tuple[AnnData, dict[str, Any]]:
    """Drop dying cells, empty droplets and doublets of one sample.

    Limits on counts and genes are median absolute deviations on the log scale, never below the
    given floors; the limit on the mitochondrial share lies between 5 % and `max_pct_mito`. A cell
    that breaks several rules is counted under the first, in the order of `dropped`. Scrublet then
    scores the remaining cells.

    Parameters
    ----------
    adata
        Raw counts of one sample, cells x genes.
    min_counts, min_genes
        Floors.
    n_mads, n_mads_mito
        Width of the limits in median absolute deviations.
    max_pct_mito
        Ceiling of the mitochondrial limit, percent.
    doublet_rate
        Share of doublets that Scrublet expects; 0 turns it off.
    seed
        Seed of Scrublet.

    Returns
    -------
    The kept cells, with n_counts, n_genes, pct_mito and doublet_score in `obs`, and a report of
    what was dropped and why. The kept cells may be none.

    References
    ----------
    Wolock et al. 2019, Cell Syst. 8, 281, doi:10.1016/j.cels.2018.11.005 (Scrublet).
    """
    adata = adata.copy()
    counts = np.asarray(adata.X.sum(axis=1)).ravel().astype(np.float64)
    genes = np.asarray((adata.X > 0).sum(axis=1)).ravel().astype(np.int64)
    mito = adata.var_names.str.upper().str.startswith("MT-")
    mito_counts = np.asarray(adata.X[:, mito].sum(axis=1)).ravel()
    percent = 100.0 * mito_counts / np.maximum(counts, 1.0)
    adata.obs["n_counts"], adata.obs["n_genes"], adata.obs["pct_mito"] = counts, genes, percent
    notes = [] if mito.any() else ["no gene is named MT-...: dying cells cannot be seen"]

    # Limits come from the droplets above the floors, so that debris does not widen them.
    sound = (counts >= min_counts) & (genes >= min_genes)
    basis = sound if sound.any() else np.ones_like(sound)
    count_limits = log_limits(counts[basis], n_mads=n_mads, floor=min_counts)
    gene_limits = log_limits(genes[basis], n_mads=n_mads, floor=min_genes)
    mito_max = mito_limit(percent[basis], n_mads=n_mads_mito, ceiling=max_pct_mito)
    rules = {
        "low_counts": counts < count_limits[0],
        "high_counts": counts > count_limits[1],
        "low_genes": genes < gene_limits[0],
        "high_genes": genes > gene_limits[1],
        "high_mito": percent > mito_max,
    }
    keep = np.ones(adata.n_obs, dtype=bool)
    dropped = {}
    for name, broken in rules.items():
        dropped[name] = int((broken & keep).sum())
        keep &= ~broken
    kept = adata[keep].copy()
    kept, dropped["doublet"], threshold = _drop_doublets(
        kept, rate=doublet_rate, seed=seed, notes=notes
    )
    report = {
        "n_cells_raw": adata.n_obs,
        "n_cells_kept": kept.n_obs,
        "n_genes": adata.n_vars,
        "dropped": dropped,
        "limits": {
            "n_counts": list(count_limits),
            "n_genes": list(gene_limits),
            "pct_mito_max": mito_max,
        },
        "doublet_threshold": threshold,
        "notes": notes,
        **{
            f"median_{short}": float(kept.obs[column].median()) if kept.n_obs else None
            for short, column in (
                ("counts", "n_counts"),
                ("genes", "n_genes"),
                ("pct_mito", "pct_mito"),
            )
        },
    }
    reasons = ", ".join(f"{n} {name}" for name, n in dropped.items() if n) or "nothing dropped"
    log.info("kept %d of %d cells: %s", kept.n_obs, adata.n_obs, reasons)
    return kept, report


def _drop_doublets(
    adata: AnnData, *, rate: float, seed: int, notes: list[str]
) -> tuple[AnnData, int, float | None]:
    """Score doublets with Scrublet and drop those above its threshold."""
    adata.obs["doublet_score"] = np.nan
    if rate == 0:
        notes.append("doublet calling is off")
        return adata, 0, None
    if adata.n_obs < MIN_CELLS_SCRUBLET:
        notes.append(f"doublets were not called: fewer than {MIN_CELLS_SCRUBLET} cells")
        return adata, 0, None
    scored = AnnData(adata.X.astype(np.float32), var=adata.var[[]].copy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=FutureWarning)
        sc.pp.scrublet(
            scored, expected_doublet_rate=rate, random_state=seed, n_prin_comps=_n_pcs(scored)
        )
    adata.obs["doublet_score"] = scored.obs["doublet_score"].to_numpy(dtype=np.float64)
    if "threshold" not in scored.uns["scrublet"]:
        notes.append("Scrublet found no threshold between singlets and doublets: none were dropped")
        return adata, 0, None
    doublet = scored.obs["predicted_doublet"].to_numpy(dtype=bool)
    return adata[~doublet].copy(), int(doublet.sum()), float(scored.uns["scrublet"]["threshold"])


def _n_pcs(adata: AnnData) -> int:
    return min(30, adata.n_obs - 1, adata.n_vars - 1)
