"""Which droplets of a sample are single, living cells."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from anndata import AnnData
from scipy.stats import median_abs_deviation

from osteotalk.prepare.ambient import estimate_ambient, subtract_ambient
from osteotalk.prepare.doublets import call_doublets, expected_share
from osteotalk.prepare.histograms import droplet_histograms

log = logging.getLogger(__name__)

CELL, NUCLEUS = "cell", "nucleus"
# Below this share of mitochondrial counts (percent) a droplet is never an outlier.
MITO_FLOOR: Mapping[str, float] = MappingProxyType({CELL: 5.0, NUCLEUS: 1.0})
# A droplet with fewer counts than this share of the floor, and than this number, holds no cell.
EMPTY_SHARE, EMPTY_COUNTS = 0.2, 100
SUBTRACT = "subtract"
# Columns of the table of samples that take the place of a setting.
OVERRIDES = ("min_counts", "min_genes", "max_pct_mito", "doublet_rate")


@dataclass(frozen=True)
class Limits:
    """Between which counts and genes, and up to which mitochondrial share, a droplet is kept."""

    empty: float
    counts: tuple[float, float]
    genes: tuple[float, float]
    mito: float


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


def mito_limit(percent: np.ndarray, *, n_mads: float, floor: float, ceiling: float) -> float:
    """Highest mitochondrial share, percent: median + `n_mads` deviations, within the bounds.

    Where the floor is above the ceiling, the ceiling holds.
    """
    if percent.size == 0:
        return min(floor, ceiling)
    width = n_mads * median_abs_deviation(percent, scale="normal")
    return float(min(max(np.median(percent) + width, floor), ceiling))


def read_overrides(sample_row: Mapping[str, str]) -> dict[str, float]:
    """Settings of this sample alone, from its row; empty columns are left out."""
    return {name: float(sample_row[name]) for name in OVERRIDES if sample_row.get(name)}


def filter_cells(
    adata: AnnData,
    *,
    sample_row: Mapping[str, str],
    min_counts: int,
    min_genes: int,
    n_mads: float,
    max_pct_mito: float,
    max_pct_mito_nucleus: float,
    n_mads_mito: float,
    doublets_per_1000: float,
    ambient: str,
    seed: int,
) -> tuple[AnnData, dict[str, Any]]:
    """Drop dying cells, empty droplets and doublets of one sample; tell its ambient RNA.

    Limits on counts and genes are median absolute deviations on the log scale, never below the
    given floors; the limit on the mitochondrial share lies between 5 % and `max_pct_mito`, and for
    single nuclei between 1 % and `max_pct_mito_nucleus`. A droplet that breaks several rules is
    counted under the first, in the order of `dropped`. Scrublet then scores the remaining cells,
    and the share of ambient RNA is estimated from those that are kept.

    Parameters
    ----------
    adata
        Raw counts of one sample, cells x genes.
    sample_row
        Row of the table of samples: dataset, sample, suspension, and the columns of `OVERRIDES`,
        all text. A `max_pct_mito` there is the limit itself, without looking at deviations; a
        `doublet_rate` the expected share of doublets, 0 to call none.
    min_counts, min_genes
        Floors.
    n_mads, n_mads_mito
        Width of the limits in median absolute deviations.
    max_pct_mito, max_pct_mito_nucleus
        Ceiling of the mitochondrial limit, percent.
    doublets_per_1000
        Expected share of doublets per 1,000 droplets that hold a cell; 0 to call none.
    ambient
        'subtract' to take the expected ambient counts away, 'report' to leave the counts alone.
    seed
        Seed of Scrublet, the quick clusters, the interval and the rounding.

    Returns
    -------
    The kept cells, with n_counts, n_genes, pct_mito and doublet_score in `obs`, and a report of
    what was dropped and why. The kept cells may be none. Cells and genes stay in their order, on
    which nothing depends.
    """
    overrides = read_overrides(sample_row)
    nuclei = sample_row.get("suspension", "") == NUCLEUS
    floor_counts, floor_genes = (
        overrides.get(name, value)
        for name, value in (("min_counts", min_counts), ("min_genes", min_genes))
    )
    adata = measure(adata)
    notes = _notes(adata, sample_row=sample_row, nuclei=nuclei, overrides=overrides)
    sound, limits = _limits(
        adata,
        floors=(floor_counts, floor_genes),
        n_mads=n_mads,
        n_mads_mito=n_mads_mito,
        mito_floor=MITO_FLOOR[NUCLEUS if nuclei else CELL],
        mito_ceiling=max_pct_mito_nucleus if nuclei else max_pct_mito,
        mito_fixed=overrides.get("max_pct_mito"),
    )
    keep, dropped = _broken_rules(adata, limits)
    empty = adata.obs["n_counts"].to_numpy() < limits.empty
    profile = np.asarray(adata.X[empty].sum(axis=0)).ravel() if empty.any() else None
    expected = overrides.get(
        "doublet_rate", expected_share(int(sound.sum()), per_1000=doublets_per_1000)
    )
    kept, found = _single_cells(
        adata[keep],
        genes=np.argsort(adata.var_names.to_numpy(str), kind="stable"),
        expected=expected,
        empty_profile=profile,
        subtract=ambient == SUBTRACT,
        seed=seed,
    )
    notes += found.pop("notes")
    dropped |= found.pop("dropped")
    found["doublets"]["expected_from"] = (
        "table of samples" if "doublet_rate" in overrides else f"{int(sound.sum())} droplets"
    )
    report = {
        "n_cells_raw": adata.n_obs,
        "n_cells_kept": kept.n_obs,
        "n_genes": adata.n_vars,
        "suspension": NUCLEUS if nuclei else CELL,
        "overrides": overrides,
        "dropped": dropped,
        "limits": _as_record(limits),
        "distributions": droplet_histograms(
            adata.obs, sound=sound, floors=(floor_counts, floor_genes)
        ),
        **found,
        "notes": notes,
        **_medians(kept),
    }
    reasons = ", ".join(f"{n} {name}" for name, n in dropped.items() if n) or "nothing dropped"
    log.info("kept %d of %d cells: %s", kept.n_obs, adata.n_obs, reasons)
    for note in notes:
        log.warning("%s", note)
    return kept, report


def measure(adata: AnnData) -> AnnData:
    """Copy with n_counts, n_genes and pct_mito (percent of the counts) of each droplet in `obs`."""
    adata = adata.copy()
    counts = np.asarray(adata.X.sum(axis=1)).ravel().astype(np.float64)
    mito = adata.var_names.str.upper().str.startswith("MT-")
    mito_counts = np.asarray(adata.X[:, mito].sum(axis=1)).ravel()
    adata.obs["n_counts"] = counts
    adata.obs["n_genes"] = np.asarray((adata.X > 0).sum(axis=1)).ravel().astype(np.int64)
    adata.obs["pct_mito"] = 100.0 * mito_counts / np.maximum(counts, 1.0)
    return adata


def _notes(
    adata: AnnData,
    *,
    sample_row: Mapping[str, str],
    nuclei: bool,
    overrides: Mapping[str, float],
) -> list[str]:
    """What a reader has to know about how this sample was treated."""
    notes = []
    if not adata.var_names.str.upper().str.startswith("MT-").any():
        notes.append("no gene is named MT-...: dying cells cannot be seen")
    if nuclei:
        notes.append("single nuclei: the limit on mitochondrial counts is that for nuclei")
    elif not sample_row.get("suspension", ""):
        notes.append("cells or nuclei is not said: treated as cells")
    if overrides:
        listed = ", ".join(f"{name} {value:g}" for name, value in overrides.items())
        notes.append(f"limits of its own in the table of samples: {listed}")
    return notes


def _limits(
    adata: AnnData,
    *,
    floors: tuple[float, float],
    n_mads: float,
    n_mads_mito: float,
    mito_floor: float,
    mito_ceiling: float,
    mito_fixed: float | None,
) -> tuple[np.ndarray, Limits]:
    """Droplets above the floors, from which the limits come, and the limits."""
    counts, genes, percent = (
        adata.obs[name].to_numpy(np.float64) for name in ("n_counts", "n_genes", "pct_mito")
    )
    # Debris below the floors must not widen the limits.
    sound = (counts >= floors[0]) & (genes >= floors[1])
    basis = sound if sound.any() else np.ones_like(sound)
    mito = mito_limit(percent[basis], n_mads=n_mads_mito, floor=mito_floor, ceiling=mito_ceiling)
    return sound, Limits(
        empty=min(EMPTY_SHARE * floors[0], EMPTY_COUNTS),
        counts=log_limits(counts[basis], n_mads=n_mads, floor=floors[0]),
        genes=log_limits(genes[basis], n_mads=n_mads, floor=floors[1]),
        mito=mito if mito_fixed is None else mito_fixed,
    )


def _broken_rules(adata: AnnData, limits: Limits) -> tuple[np.ndarray, dict[str, int]]:
    """Droplets that keep all rules, and how many break each one first."""
    counts, genes = adata.obs["n_counts"], adata.obs["n_genes"]
    rules = {
        "empty": counts < limits.empty,
        "low_counts": counts < limits.counts[0],
        "high_counts": counts > limits.counts[1],
        "low_genes": genes < limits.genes[0],
        "high_genes": genes > limits.genes[1],
        "high_mito": adata.obs["pct_mito"] > limits.mito,
    }
    keep = np.ones(adata.n_obs, dtype=bool)
    dropped = {}
    for name, column in rules.items():
        broken = column.to_numpy(dtype=bool)
        dropped[name] = int((broken & keep).sum())
        keep &= ~broken
    return keep, dropped


def _single_cells(
    adata: AnnData,
    *,
    genes: np.ndarray,
    expected: float,
    empty_profile: np.ndarray | None,
    subtract: bool,
    seed: int,
) -> tuple[AnnData, dict[str, Any]]:
    """Drop doublets and deal with ambient RNA; cells and genes are sorted by name for the while."""
    places = np.argsort(adata.obs_names.to_numpy(str), kind="stable")
    cells = adata[places][:, genes].copy()
    doublets = call_doublets(cells, expected=expected, seed=seed)
    cells.obs["doublet_score"] = doublets.scores
    cells, places = cells[~doublets.called].copy(), places[~doublets.called]
    profile = None if empty_profile is None else empty_profile[genes]
    ambient = estimate_ambient(cells, empty_profile=profile, seed=seed)
    dropped, notes = {"doublet": int(doublets.called.sum())}, list(doublets.notes)
    removed = None
    if subtract and ambient.record["share"]:
        before = int(cells.X.sum())
        cells.X = subtract_ambient(cells.X.tocsr(), ambient, seed=seed)
        removed = before - int(cells.X.sum())
        cells = measure(cells)
        left = cells.obs["n_counts"].to_numpy() > 0
        dropped["ambient_only"] = int((~left).sum())
        cells, places = cells[left].copy(), places[left]
    elif subtract:
        notes.append("no ambient counts were subtracted")
    if ambient.record["reason"]:
        notes.append(f"the share of ambient RNA cannot be told: {ambient.record['reason']}")
    cells = cells[np.argsort(places)][:, np.argsort(genes)].copy()
    record = ambient.record | {"counts_removed": removed}
    found = {"dropped": dropped, "doublets": dict(doublets.record), "ambient": record}
    return cells, found | {"notes": notes}


def _as_record(limits: Limits) -> dict[str, Any]:
    return {
        "n_counts": list(limits.counts),
        "n_genes": list(limits.genes),
        "pct_mito_max": limits.mito,
        "empty_below": limits.empty,
    }


def _medians(kept: AnnData) -> dict[str, float | None]:
    names = {"counts": "n_counts", "genes": "n_genes", "pct_mito": "pct_mito"}
    return {
        f"median_{short}": float(kept.obs[column].median()) if kept.n_obs else None
        for short, column in names.items()
    }
