"""How many mixtures of two lineages the check of cells finds, and how many single cells it flags.

Run from the repository: python benchmarks/doublets.py [WORDS]
Words: canine, ovarian, lung (data), 0 (seeds), stromal+myeloid (pairs), known; all data by default.
A mixture is the sum of the counts of two real cells of one sample, of different lineages by the
authors' labels; half of its counts are drawn where the row says so, as of a droplet that caught no
more than one cell does. The mixtures of one pair of lineages are added to all the cells that were
there, which are named and checked as in the workflow. A single cell that is flagged counts as
false, though some may be real doublets; the canine cells, each drawn from one type, have none.

With the word `known`, each row is instead of a model that knows what the check has to find out:
logistic regression that is given the authors' labels and the one pair of lineages, trained on cells
and mixtures of other fifths of the cohort, with the cut that one single cell in a hundred of the
two passes. It says what can be expected at a false rate of 1 %.
Its mixtures are of any two samples.

The constants of `osteotalk.annotate.mixtures` were chosen on ovarian cells, with the canine ones
watched for false calls. These are few cells: 30 mixtures are more than some lineages have.
"""

import logging
import sys
import warnings
from itertools import combinations

import anndata as ad
import numpy as np
import pandas as pd
from annotation import (
    DATA,
    NSCLC,
    NSCLC_MAJORS,
    OVARIAN,
    OVARIAN_MAJORS,
    canine_cohort,
    cohort,
    name_cells,
    show,
    table,
)
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

EACH = 30
COHORTS = {
    "ovarian": (OVARIAN, "author_label", "sample", OVARIAN_MAJORS),
    "lung": (NSCLC, "author_major_cell_type", "patient", NSCLC_MAJORS),
}


def mixed(
    cells: ad.AnnData,
    lineage: pd.Series,
    pair: tuple[str, str],
    *,
    sample: str,
    keep: float,
    seed: int,
    each: int = EACH,
) -> ad.AnnData:
    """Cells with some mixtures of two lineages added; `obs["mix"]` says which are."""
    rng = np.random.default_rng(seed)
    x = sparse.csr_matrix(cells.X).astype(np.int64)
    of_sample = cells.obs[sample].astype(str).to_numpy()
    first, second = (np.flatnonzero((lineage == name).to_numpy()) for name in pair)
    first = first[np.isin(of_sample[first], of_sample[second])]
    rows, chosen = [], rng.choice(first, each)
    for a in chosen:
        total = x[a] + x[rng.choice(second[of_sample[second] == of_sample[a]])]
        if keep < 1:
            total.data = rng.binomial(total.data, keep)
        rows.append(total)
    added = cells.obs.iloc[chosen].assign(mix=True)
    added.index = [f"mixture {i}" for i in range(each)]
    obs = pd.concat([cells.obs.assign(mix=False), added])
    return ad.AnnData(sparse.vstack([x, *rows]).tocsr(), obs=obs, var=cells.var.copy())


def run(name: str, pair: tuple[str, str], *, keep: float, seed: int) -> None:
    """Name the cells of a cohort with mixtures, and print how many are flagged."""
    path, label, sample, majors = COHORTS[name]
    cells = ad.read_h5ad(path)
    lineage = cells.obs[label].astype(str).map(majors)
    together = mixed(cells, lineage, pair, sample=sample, keep=keep, seed=seed)
    adata = cohort(together, dataset=name, sample=sample, label=label)
    obs = name_cells(adata, table("markers")).obs
    mix = together.obs["mix"].reindex(obs.index).to_numpy(bool)
    lineage = lineage.reindex(obs.index)
    found = (obs["lineage_doublet"].astype(str) == "yes").to_numpy()
    told = obs["population_reason"].astype(str)
    of_pair = found & told.str.contains(pair[0]) & told.str.contains(pair[1])
    single = ~mix & lineage.isin(pair).to_numpy()
    named = obs.loc[mix & ~found, "population_major"].value_counts().to_dict()
    rates = {
        "found": f"{int(found[mix].sum())} of {EACH}",
        "else": "; ".join(f"{n} {title}" for title, n in named.items()) or "-",
        "single cells of the two flagged as this pair": float(of_pair[single].mean()),
        "all single cells flagged": float(found[~mix].mean()),
    }
    show(f"{name} {' x '.join(pair)}, {keep:g} of counts, seed {seed}", rates)


def known(name: str, pair: tuple[str, str], *, keep: float, seed: int) -> None:
    """Print how many mixtures a model finds that knows the labels and the pair."""
    path, label, _, majors = COHORTS[name]
    cells = ad.read_h5ad(path)
    cells.obs["sample"] = "any"
    lineage = cells.obs[label].astype(str).map(majors)
    cells = cells[lineage.isin(pair).to_numpy()].copy()
    lineage = lineage[lineage.isin(pair)]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    single, mixtures = [], []
    for train, test in folds.split(lineage, lineage):
        if not set(pair) <= set(lineage.iloc[test]):
            continue
        learn, judge = (
            mixed(
                cells[rows], lineage.iloc[rows], pair, sample="sample", keep=keep, seed=seed, each=n
            )
            for rows, n in ((train, 300), (test, 60))
        )
        totals = [np.asarray(part.X.sum(axis=1)).ravel() for part in (learn, judge)]
        scaled = [
            np.log1p(sparse.diags_array(1e4 / n) @ part.X)
            for n, part in zip(totals, (learn, judge), strict=True)
        ]
        svd = TruncatedSVD(40, random_state=seed).fit(scaled[0])
        features = [np.c_[svd.transform(x), np.log(n)] for x, n in zip(scaled, totals, strict=True)]
        kind = np.where(learn.obs["mix"], "both", learn.obs[label].astype(str).map(majors))
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.3, class_weight="balanced", max_iter=3000)
        ).fit(features[0], kind)
        odds = pd.DataFrame(model.decision_function(features[1]), columns=model.classes_)
        lead = (odds.pop("both") - odds.max(axis=1)).to_numpy()
        single.append(lead[~judge.obs["mix"]])
        mixtures.append(lead[judge.obs["mix"]])
    cut = np.quantile(np.concatenate(single), 0.99)
    share = float((np.concatenate(mixtures) > cut).mean())
    title = f"{name} {' x '.join(pair)}, {keep:g} of counts, seed {seed}, labels known"
    show(title, {"found": f"{EACH * share:.1f} of {EACH}"})


def flagged_singles() -> None:
    """Print how many of the canine cells are flagged, of which each is drawn from one type."""
    for keep in (1.0, 0.5, 0.25):
        obs = name_cells(canine_cohort(keep=keep), table("markers")).obs
        share = float((obs["lineage_doublet"].astype(str) == "yes").mean())
        show(f"canine, {keep:g} of counts, no mixtures", {"single cells flagged": share})


def pairs_of(name: str) -> list[tuple[str, str]]:
    """Pairs of lineages with at least ten cells, tumour cells apart."""
    path, label, _, majors = COHORTS[name]
    found = ad.read_h5ad(path, backed="r").obs[label].astype(str).map(majors).value_counts()
    return list(combinations(sorted(found.index[found >= 10]), 2))


def main() -> None:
    """Print all rows."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    if not DATA.is_dir():
        print(f"left out: {DATA} is missing")
        return
    words = sys.argv[1:]
    if not words or "canine" in words:
        flagged_singles()
    if words == ["canine"]:
        return
    names = [word for word in words if word in COHORTS] or list(COHORTS)
    seeds = [int(word) for word in words if word.isdigit()] or [0, 1]
    pairs = [(a, b) for a, _, b in (word.partition("+") for word in words) if b]
    row = known if "known" in words else run
    for name in names:
        for pair in pairs or pairs_of(name):
            for seed in seeds:
                for keep in (1.0, 0.5):
                    row(name, pair, keep=keep, seed=seed)


if __name__ == "__main__":
    main()
