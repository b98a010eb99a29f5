"""Simulated tumours of several clones, for `benchmarks/malignancy.py`.

4,000 genes on the arms of the autosomes, about 4,000 counts in a cell. A tumour cell has the
expression of its own kind, as have fibroblasts, endothelial cells and macrophages: a seventh of the
genes differ between any two of them. A gained arm has three copies, a lost one has one.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.malignancy import call_malignant
from osteotalk.ingest.gtf import AUTOSOMES, arms

POPULATIONS = pd.DataFrame(
    [
        ("malignant", "", "malignant"),
        ("stroma", "", ""),
        ("endothelial", "", "reference"),
        ("myeloid", "", "reference"),
    ],
    columns=["population", "parent", "cnv_role"],
)
NORMAL = {"endothelial": 40, "myeloid": 80, "stroma": 80}
SIZES = ((400, 40), (200, 30), (100, 30), (40, 40), (400, 100, 40), (40, 40, 40))
PRIVATE = 4  # arms of each clone
PER_ARM, DEPTH = 100, 4000


def genome() -> pd.DataFrame:
    """Positions of the genes: 100 on either side of every centromere that leaves them room."""
    rows = [
        (name, start + i)
        for name in AUTOSOMES
        for start in (10**6, 200 * 10**6)
        for i in range(PER_ARM)
    ]
    var = pd.DataFrame(rows, columns=["chromosome", "start"])
    var["end"] = var["start"] + 1
    var.index = [f"g{i}" for i in range(len(var))]
    return var


def planted(n_clones: int, *, shared: int, opposite: bool, names: Sequence[str]) -> list[dict]:
    """Fold of each changed arm in each clone: gains and losses in turn."""
    common = {name: (1.5, 0.5)[i % 2] for i, name in enumerate(names[:shared])}
    clones = []
    for number in range(n_clones):
        first = shared + (0 if opposite else PRIVATE * number)
        own = names[first : first + PRIVATE]
        turn = number if opposite else 0
        clones.append(common | {name: (1.5, 0.5)[(i + turn) % 2] for i, name in enumerate(own)})
    return clones


def sample(
    sizes: Sequence[int], folds: Sequence[dict], *, name: str, together: bool, seed: int
) -> AnnData:
    """Draw a sample; its tumour cells bear the name given, in one cluster or one per clone."""
    rng = np.random.default_rng(seed)
    var = genome()
    arm = arms(var["chromosome"], var["start"])
    base = np.exp(rng.normal(0, 1.5, len(var)))
    kinds = {}
    for kind in (*NORMAL, "tumour"):
        other = rng.random(len(var)) < 1 / 14
        kinds[kind] = base * np.where(other, np.exp(rng.normal(0, 1.5, len(var))), 1)
    rows = [(kind, kind, kind, "", size, {}) for kind, size in NORMAL.items()]
    rows += [
        ("tumour", name, "m" if together else f"m{i}", f"clone {i}", size, fold)
        for i, (size, fold) in enumerate(zip(sizes, folds, strict=True))
    ]
    counts, obs = [], []
    for kind, label, cluster, clone, size, fold in rows:
        mean = kinds[kind] * np.array([fold.get(a, 1.0) for a in arm])
        depth = DEPTH * np.exp(rng.normal(0, 0.3, (size, 1)))
        noise = rng.gamma(2, 0.5, (size, len(var)))
        counts.append(rng.poisson(mean / mean.sum() * depth * noise))
        obs += [(label, cluster, clone)] * size
    x = np.vstack(counts).astype(float)
    x = np.log1p(x * (1e4 / x.sum(axis=1, keepdims=True)))
    frame = pd.DataFrame(obs, columns=["population", "cluster", "truth"]).assign(
        sample="S", patient="P", lineage_doublet="no", population_state="", population_reason=""
    )
    frame["population_major"] = frame["population"]
    named = frame["population"] != "unassigned"
    frame["population_probability"] = np.where(named, 0.99, np.nan)
    frame["major_probability"] = frame["population_probability"]
    frame.index = [f"c{i}" for i in range(len(frame))]
    return AnnData(sparse.csr_matrix(x, dtype=np.float32), obs=frame, var=var)


def judged(seeds: int) -> Iterator[tuple[str, list[dict]]]:
    """Give each setting with what was found: recall of each clone, normal cells called, clones."""
    var = genome()
    names = list(dict.fromkeys(arms(var["chromosome"], var["start"])))
    settings = [(shared, False) for shared in range(5)] + [(0, True), (2, True)]
    for name, together in product(("malignant", "stroma"), (False, True)):
        for shared, opposite in settings:
            found = []
            for sizes, seed in product(SIZES, range(seeds)):
                if opposite and len(sizes) > 2:
                    continue
                mixed = np.random.default_rng(seed).permutation(names).tolist()
                folds = planted(len(sizes), shared=shared, opposite=opposite, names=mixed)
                cells = sample(sizes, folds, name=name, together=together, seed=seed)
                found.append(judge(cells) | {"sizes": sizes})
            where = "one cluster" if together else "own clusters"
            kind = "opposite" if opposite else "other"
            yield f"named {name}, {where}, {shared} shared arms, {kind} private arms", found


def judge(cells: AnnData) -> dict:
    """Recall of each clone, normal cells called malignant, and the number of clones found."""
    called, _, _ = call_malignant(
        cells, populations=POPULATIONS, window=100, min_reference=20, min_genes=1000, seed=0
    )
    yes = (called.obs["malignant"] == "yes").to_numpy()
    truth = called.obs["truth"].to_numpy()
    record = called.uns["osteotalk"]["malignancy"]["samples"]["S"]
    return {
        "recall": [float(yes[truth == name].mean()) for name in sorted(set(truth) - {""})],
        "normal": int(yes[truth == ""].sum()),
        "n_clones": len(record["clones"]),
    }


def main(seeds: int = 1) -> None:
    """Print the worst recall of a clone, and the normal cells called, of each setting."""
    print("\nsimulated tumours of two and three clones of 400 to 30 cells, 200 normal cells")
    for title, found in judged(seeds):
        worst = min(found, key=lambda one: min(one["recall"]))
        right = sum(one["n_clones"] == len(one["sizes"]) for one in found)
        print(
            f"  {title}: worst recall {min(worst['recall']):.3f} (sizes {worst['sizes']}); normal "
            f"cells called {sum(one['normal'] for one in found)}; number of clones right in "
            f"{right} of {len(found)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
