"""How many mixtures of two lineages the check of cells finds, and how many single cells it flags.

Run from the repository: python benchmarks/doublets.py [ovarian] [lung] [seeds ...] [pairs ...]
A mixture is the sum of the counts of two real cells of one sample, of different lineages by the
authors' labels; half of its counts are drawn where the row says so, as of a droplet that caught no
more than one cell does. The mixtures of one pair of lineages (as stromal+myeloid; all pairs if none
is named) are added to all the cells that were there, which are named and checked as in the
workflow. A single cell that is flagged counts as false, though some may be real doublets.

The constants of `osteotalk.annotate.mixtures` were chosen on ovarian cells, with other draws of
mixtures; the lung cancer cells were not looked at before. These are few: 30 mixtures are more than
the lineages with stroma have cells.
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
    cohort,
    name_cells,
    show,
    table,
)
from scipy import sparse

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
) -> ad.AnnData:
    """Cells with `EACH` mixtures of two lineages added; `obs["mix"]` says which are."""
    rng = np.random.default_rng(seed)
    x = sparse.csr_matrix(cells.X).astype(np.int64)
    of_sample = cells.obs[sample].astype(str).to_numpy()
    first, second = (np.flatnonzero((lineage == name).to_numpy()) for name in pair)
    first = first[np.isin(of_sample[first], of_sample[second])]
    rows, chosen = [], rng.choice(first, EACH)
    for a in chosen:
        total = x[a] + x[rng.choice(second[of_sample[second] == of_sample[a]])]
        if keep < 1:
            total.data = rng.binomial(total.data, keep)
        rows.append(total)
    added = cells.obs.iloc[chosen].assign(mix=True)
    added.index = [f"mixture {i}" for i in range(EACH)]
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
    names = [word for word in words if word in COHORTS] or list(COHORTS)
    seeds = [int(word) for word in words if word.isdigit()] or [0, 1]
    pairs = [(a, b) for a, _, b in (word.partition("+") for word in words) if b]
    for name in names:
        for pair in pairs or pairs_of(name):
            for seed in seeds:
                for keep in (1.0, 0.5):
                    run(name, pair, keep=keep, seed=seed)


if __name__ == "__main__":
    main()
