"""How alike groups of cells of one lineage and of two are: correlations of whole expression.

Run from the repository: python benchmarks/alike.py
For the canine, lung and ovarian cells of benchmarks/annotation.py it prints the correlations of
pairs of groups, and of pairs above each limit how many are of one lineage by the authors' labels,
tumour cells as one. The constants of `osteotalk.annotate.alike` rest on these numbers. The rows
"tumour-rich" keep all groups of tumour cells and two of each other lineage, drawn three times: the
correlation is of levels less the mean over groups, which the mix of groups moves.
"""

import logging
import warnings
from itertools import combinations

import numpy as np
import pandas as pd
from annotation import (
    DATA,
    NSCLC_MAJORS,
    OVARIAN_MAJORS,
    canine_cohort,
    lung_cohort,
    ovarian_cohort,
    settings,
    table,
)

from osteotalk.annotate.alike import group_correlation
from osteotalk.annotate.levels import group_counts
from osteotalk.annotate.majors import name_majors
from osteotalk.annotate.tree import build_tree

TUMOUR, LIMITS, KEPT = "malignant", (0.4, 0.5, 0.6, 0.7), 2


def pairs(counts: np.ndarray, lineage: np.ndarray, skip: np.ndarray) -> pd.DataFrame:
    """Correlation of each pair of groups, and whether they are of one lineage."""
    alike = group_correlation(counts, skip=skip)
    rows = [(alike[a, b], lineage[a] == lineage[b]) for a, b in combinations(range(len(alike)), 2)]
    return pd.DataFrame(rows, columns=["alike", "same"])


def show(title: str, found: pd.DataFrame) -> None:
    """Print one row."""
    quantiles = found[~found["same"]]["alike"].quantile([0.5, 0.95, 0.99]).round(2).tolist()
    above = [
        f"{limit}: {int(found['same'][found['alike'] >= limit].sum())} of "
        f"{int((found['alike'] >= limit).sum())}"
        for limit in LIMITS
    ]
    print(f"{title:24} two lineages, 50, 95 and 99 %: {quantiles}; one lineage of those at", end="")
    print(f" least {'; '.join(above)}", flush=True)


def main() -> None:
    """Print all rows, and the pairs of all three together."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    if not DATA.is_dir():
        print(f"left out: {DATA} is missing")
        return
    together = []
    for title, load, majors in (
        ("canine", canine_cohort, None),
        ("lung", lung_cohort, NSCLC_MAJORS),
        ("ovarian", ovarian_cohort, OVARIAN_MAJORS),
    ):
        adata, given = load(), settings()[1]
        tree = build_tree(
            table("populations"),
            markers=table("markers"),
            measured=adata.var_names,
            min_measured=given["min_measured"],
        )
        groups = name_majors(adata, tree=tree, min_probability=given["min_probability"], seed=0)
        label = adata.obs["author_label"].astype(str).map(majors) if majors else adata.obs["truth"]
        label = label.fillna(TUMOUR).to_numpy(dtype=object)
        n = len(groups.names)
        lineage = np.array([pd.Series(label[groups.code == k]).mode()[0] for k in range(n)])
        counts = group_counts(adata, groups.code, n)
        skip = np.isin(adata.var_names, tree.cycle_genes)
        together.append(pairs(counts, lineage, skip))
        show(title, together[-1])
        for seed in range(3):
            rng = np.random.default_rng(seed)
            kept = np.flatnonzero(lineage == TUMOUR).tolist()
            for name in sorted(set(lineage) - {TUMOUR}):
                kept += rng.permutation(np.flatnonzero(lineage == name))[:KEPT].tolist()
            show(f"  tumour-rich, draw {seed}", pairs(counts[kept], lineage[kept], skip))
    show("all three", pd.concat(together))


if __name__ == "__main__":
    main()
