"""Distributions of counts, genes and mitochondrial share before filtering, as few numbers."""

from typing import Any

import numpy as np
import pandas as pd

N_BINS = 40
LOWEST = 0.2  # of the floor; droplets below are counted and not drawn


def histogram(values: np.ndarray, *, low: float, high: float, log: bool) -> dict[str, Any]:
    """Histogram with equal bins, on the log10 scale if asked for.

    Parameters
    ----------
    values
        Numbers, one per droplet.
    low, high
        Outer edges; the last bin includes `high`.
    log
        Whether the edges are equally spaced in log10; both must then be positive.

    Returns
    -------
    edges, droplets (per bin), and how many lie below and above all bins.
    """
    spaced = np.geomspace if log else np.linspace
    edges = spaced(low, max(high, low * 1.01 if log else low + 1e-6), N_BINS + 1)
    edges = np.array([float(f"{edge:.6g}") for edge in edges])
    inside = values[(values >= edges[0]) & (values <= edges[-1])]
    return {
        "edges": edges.tolist(),
        "droplets": np.histogram(inside, bins=edges)[0].tolist(),
        "below": int((values < edges[0]).sum()),
        "above": int((values > edges[-1]).sum()),
    }


def droplet_histograms(
    obs: pd.DataFrame, *, sound: np.ndarray, floors: tuple[float, float]
) -> dict[str, Any]:
    """Histograms of a sample: n_counts and n_genes (log10), pct_mito (percent).

    Parameters
    ----------
    obs
        Columns n_counts, n_genes, pct_mito, one row per droplet.
    sound
        Droplets above both floors; the mitochondrial share is drawn for these alone, since it
        means nothing in a droplet of few counts.
    floors
        Of counts and genes; the histograms begin at a fifth of each.
    """
    found = {}
    for column, floor in zip(("n_counts", "n_genes"), floors, strict=True):
        values = obs[column].to_numpy(np.float64)
        low = max(LOWEST * floor, 1.0)
        found[column] = histogram(values, low=low, high=_top(values, 1 + low) * 1.001, log=True)
    percent = obs["pct_mito"].to_numpy(np.float64)[sound]
    found["pct_mito"] = histogram(percent, low=0.0, high=_top(percent, 1.0), log=False)
    return found


def _top(values: np.ndarray, least: float) -> float:
    return float(max(values.max(initial=0.0), least))
