"""Which droplets hold two cells: Scrublet, with its threshold checked."""

import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy.ndimage import gaussian_filter1d

log = logging.getLogger(__name__)

Histogram = tuple[np.ndarray, np.ndarray]  # edges (n + 1), heights (n)

MIN_CELLS = 100  # with fewer, doublets cannot be told from the rest
RATE_BOUNDS = (0.005, 0.25)  # of the expected share when it follows from the number of droplets
SIM_RATIO = 2.0  # simulated doublets per cell
N_BINS = 40  # of the histogram of scores
SMOOTHING = 1.5  # bins; standard deviation of the kernel the histogram is smoothed with
VALLEY_DEPTH = 0.85  # height of a valley over the lower of its two peaks, at most
MIN_DETECTABLE = 0.1  # share of the simulated doublets that must lie above a threshold
MAX_EXCESS, SLACK = 3.0, 0.02  # plausible: called share <= MAX_EXCESS * expected + SLACK


@dataclass(frozen=True)
class Doublets:
    """Score and call of each cell (in their order), and what is to be reported."""

    scores: np.ndarray
    called: np.ndarray
    record: dict[str, Any]
    notes: tuple[str, ...] = ()


def expected_share(n_droplets: int, *, per_1000: float) -> float:
    """Expected share of doublets from the number of droplets that hold a cell.

    The share grows in proportion to the load (10x Genomics: 0.8 % per 1,000 cells recovered). It
    is kept between 0.5 % and 25 %; `per_1000` = 0 gives 0.
    """
    if per_1000 == 0:
        return 0.0
    return float(np.clip(per_1000 * n_droplets / 1000, *RATE_BOUNDS))


def call_doublets(adata: AnnData, *, expected: float, seed: int) -> Doublets:
    """Score doublets with Scrublet and choose a threshold that can be defended.

    Scrublet's automatic threshold is used if it lies in a valley between two modes of the scores
    of the simulated doublets and calls a plausible share: at most three times the expected share
    plus 2 %. If not, the cells with the highest scores are called, as many as expected. Scores are
    compared as the share of simulated doublets among the neighbours of a cell, on which Scrublet's
    score depends and which, unlike the score, does not depend on the expected share.

    Parameters
    ----------
    adata
        Counts of the cells of one sample, cells x genes.
    expected
        Expected share of doublets, 0 to less than 1; 0 turns the calling off.
    seed
        Seed of the simulated doublets and the components.

    Returns
    -------
    Scores are NaN where they were not computed. `record` holds expected_share, threshold (score),
    rule (scrublet, expected share, or none), automatic_threshold, automatic_ok,
    why_not_automatic, called_share, detectable_share, and histogram: edges (log odds of the share
    of simulated doublets among the neighbours), observed, simulated (cells per bin), threshold
    (log odds).

    References
    ----------
    Wolock et al. 2019, Cell Syst. 8, 281, doi:10.1016/j.cels.2018.11.005 (Scrublet).
    """
    if expected == 0:
        return _none(adata.n_obs, expected, "doublet calling is off")
    if adata.n_obs < MIN_CELLS:
        return _none(
            adata.n_obs, expected, f"doublets were not called: fewer than {MIN_CELLS} cells"
        )
    try:
        scores, simulated, automatic = run_scrublet(adata, expected=expected, seed=seed)
    except (ValueError, IndexError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        log.warning("Scrublet failed: %s", error)
        return _none(adata.n_obs, expected, f"doublets were not called: Scrublet failed ({error})")
    return _decide(scores, simulated, automatic=automatic, expected=expected)


def run_scrublet(
    adata: AnnData, *, expected: float, seed: int
) -> tuple[np.ndarray, np.ndarray, float | None]:
    """Scores of the cells, scores of the simulated doublets, automatic threshold if there is one.

    Raises
    ------
    ValueError
        If the scores are not numbers, as with cells that are all alike.
    """
    scored = AnnData(adata.X.astype(np.float32), var=adata.var[[]].copy())
    with warnings.catch_warnings():
        for category in (FutureWarning, RuntimeWarning, UserWarning):
            warnings.simplefilter("ignore", category=category)
        sc.pp.scrublet(
            scored,
            expected_doublet_rate=expected,
            sim_doublet_ratio=SIM_RATIO,
            random_state=seed,
            n_prin_comps=min(30, scored.n_obs - 1, scored.n_vars - 1),
            verbose=False,
        )
    scores = scored.obs["doublet_score"].to_numpy(dtype=np.float64)
    simulated = np.asarray(scored.uns["scrublet"]["doublet_scores_sim"], dtype=np.float64)
    if not (np.isfinite(scores).all() and np.isfinite(simulated).all()):
        msg = "the scores are not numbers; do the cells differ at all?"
        raise ValueError(msg)
    threshold = scored.uns["scrublet"].get("threshold")
    return scores, simulated, None if threshold is None else float(threshold)


def neighbour_share(scores: np.ndarray, *, expected: float) -> np.ndarray:
    """Share of simulated doublets among the neighbours, from Scrublet's score.

    The score is a posterior whose odds are those of the share times a factor that depends on the
    expected share of doublets and on the number of simulated doublets per cell.
    """
    odds = scores / (1 - scores) * (1 - expected) * SIM_RATIO / expected
    return np.asarray(odds / (1 + odds))


def log_odds(share: np.ndarray) -> np.ndarray:
    """Natural logarithm of share / (1 - share)."""
    return np.asarray(np.log(share) - np.log1p(-share))


def score_histogram(shares: np.ndarray, *, edges: np.ndarray | None = None) -> Histogram:
    """Cells per bin of the log odds of their share, without gaps between the possible values.

    The shares are whole multiples of one step, so the cells of each value are spread evenly over
    the log odds half a step to either side. Without `edges`, 40 bins cover all values.
    """
    values, cells = np.unique(np.round(shares, 9), return_counts=True)
    gaps = np.diff(values)
    step = float(gaps[gaps > 1e-6].min(initial=float(min(values[0], 1 - values[-1]))))
    places = np.rint((values - values[0]) / step).astype(int)
    counts = np.bincount(places, weights=cells)
    limits = values[0] + step * (np.arange(len(counts) + 1) - 0.5)
    limits = log_odds(np.clip(limits, step / 4, 1 - step / 4))
    if edges is None:
        edges = np.linspace(limits[0], limits[-1], N_BINS + 1)
    total = np.concatenate([[0.0], np.cumsum(counts)])
    return edges, np.diff(np.interp(edges, limits, total))


def valley(heights: np.ndarray, place: int) -> float:
    """Depth at a bin: its smoothed height over that of the lower of the highest peaks beside it.

    Below 1 in a valley; infinite at an end and on a slope that has no peak on one side.
    """
    smooth = gaussian_filter1d(heights.astype(np.float64), SMOOTHING, mode="constant")
    if place <= 0 or place >= len(smooth) - 1:
        return float("inf")
    lower = min(smooth[:place].max(), smooth[place + 1 :].max())
    return float(smooth[place] / lower) if lower > 0 else float("inf")


def _decide(
    scores: np.ndarray, simulated: np.ndarray, *, automatic: float | None, expected: float
) -> Doublets:
    """Choose the threshold and write down how."""
    own = neighbour_share(scores, expected=expected)
    made = neighbour_share(simulated, expected=expected)
    both = score_histogram(np.concatenate([own, made]))[0]
    simulation = score_histogram(made, edges=both)
    why = "Scrublet found none"
    if automatic is not None:
        at = float(neighbour_share(np.array([automatic]), expected=expected)[0])
        why = _objection(at, own, made=made, simulation=simulation, expected=expected)
    notes: tuple[str, ...] = ()
    rule, threshold = "scrublet", automatic or 0.0
    if why:
        rule, threshold = "expected share", _top_share(scores, expected)
        notes = (
            f"Scrublet's automatic threshold was not used ({why}): "
            "the cells with the highest scores were called, as many as expected",
        )
    called = scores > threshold
    shown = float(neighbour_share(np.array([threshold]), expected=expected)[0])
    record = {
        **_empty_record(expected),
        "threshold": threshold,
        "rule": rule,
        "automatic_threshold": automatic,
        "automatic_ok": not why,
        "why_not_automatic": why,
        "called_share": float(called.mean()),
        "detectable_share": float((simulated > threshold).mean()),
        "histogram": {
            "edges": _rounded(both),
            "observed": _rounded(score_histogram(own, edges=both)[1], digits=2),
            "simulated": _rounded(simulation[1], digits=2),
            "threshold": _rounded(log_odds(np.array([shown])))[0],
        },
    }
    return Doublets(scores, called, record, notes)


def _objection(
    at: float,
    own: np.ndarray,
    *,
    made: np.ndarray,
    simulation: Histogram,
    expected: float,
) -> str:
    """Why a threshold is not to be trusted; empty if nothing speaks against it."""
    share, most = float((own > at).mean()), MAX_EXCESS * expected + SLACK
    if share > most:
        return f"it calls {share:.1%} of the cells where {expected:.1%} are expected"
    if float((made > at).mean()) < MIN_DETECTABLE:
        return f"fewer than {MIN_DETECTABLE:.0%} of the simulated doublets score above it"
    edges, heights = simulation
    place = int(np.searchsorted(edges, log_odds(np.array([at]))[0], side="right")) - 1
    near = range(max(place - 1, 0), min(place + 2, len(heights)))
    if min((valley(heights, i) for i in near), default=float("inf")) > VALLEY_DEPTH:
        return "it does not lie in a valley between two modes of the scores of simulated doublets"
    return ""


def _top_share(scores: np.ndarray, expected: float) -> float:
    """Score above which at most the expected number of cells lie; ties are left in."""
    n = int(np.floor(expected * len(scores)))
    return float(np.sort(scores)[len(scores) - n - 1])


def _empty_record(expected: float) -> dict[str, Any]:
    return {
        "expected_share": expected,
        "threshold": None,
        "rule": "none",
        "automatic_threshold": None,
        "automatic_ok": False,
        "why_not_automatic": "",
        "called_share": None,
        "detectable_share": None,
        "histogram": None,
    }


def _none(n_cells: int, expected: float, note: str) -> Doublets:
    return Doublets(
        np.full(n_cells, np.nan), np.zeros(n_cells, dtype=bool), _empty_record(expected), (note,)
    )


def _rounded(values: Iterable[float], *, digits: int = 4) -> list[float]:
    return [round(float(value), digits) for value in values]
