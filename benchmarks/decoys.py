"""Do decoys keep what they promise? p-values of random claims in real cells.

Run from the repository: python benchmarks/decoys.py [--claims 3000]
A claim drawn at random (any pairs of LIANA's consensus, any populations) is no better than chance,
so that a share t of its p-values should be at most t. Claims whose pairs share a gene are the test:
decoys that do not share one vary less than such a claim does. The cells are those of lung cancers
in ../shared/data (nsclc_zilionis_300.h5ad), which are not shipped.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "conformance"))

from datasets import lung_cancer  # noqa: E402

from osteotalk.claims.claim import INTERACTION, Claim  # noqa: E402
from osteotalk.claims.controls.candidates import Ledger, Settings, items_of  # noqa: E402
from osteotalk.claims.controls.decoys import decoy_p_value  # noqa: E402
from osteotalk.claims.measures.measure import measure_interaction  # noqa: E402
from osteotalk.claims.measures.samples import SampleData, build_cohort  # noqa: E402
from osteotalk.claims.measures.values import interaction_values, sides  # noqa: E402
from osteotalk.interactions.pairs.resource import measured  # noqa: E402

SHARED = REPOSITORY.parent / "shared" / "data"
LEVELS = (0.1, 0.05, 0.025, 0.01, 0.005)
MIN_CELLS, EXPR_PROP = 5, 0.1
SEEN = 0.02  # ligand and receptor in this share of all cells, or there is nothing to measure
SETTINGS = Settings(n_decoys=1000, decoy_pool=500, seed=0)


def cohort_of(adata, pairs):
    """A cohort of one sample, without edges: only p-values are looked at."""
    adata.obs = adata.obs.assign(
        sample="S",
        patient="P",
        condition="c",
        population_state="",
        dataset="d",
        subcluster="",
        best_match="",
    )
    names = sorted(set(adata.obs["population"]))
    vocabulary = pd.DataFrame({"population": names, "parent": "", "level": ""})
    columns = ["source", "target", "ligand_complex", "receptor_complex", "q_value"]
    return build_cohort(
        [SampleData(adata, pd.DataFrame(columns=columns))],
        dataset="d",
        resource=measured(pairs, adata.var_names),
        claims=[],
        signatures=pd.DataFrame({"signature": [], "gene": [], "weight": []}),
        vocabulary=vocabulary,
        min_cells=MIN_CELLS,
        expr_prop=EXPR_PROP,
        alpha=0.05,
    )


def random_claim(i, cohort, rows, rng):
    """These pairs between one to three populations each, drawn at random."""
    there = [p for p, on in zip(cohort.populations, cohort.enough[0], strict=True) if on]
    names = (cohort.pairs["ligand"] + "^" + cohort.pairs["receptor"]).iloc[rows]
    ends = [
        tuple(rng.choice(there, size=rng.integers(1, 4), replace=False).tolist()) for _ in range(2)
    ]
    blank = dict.fromkeys(("contrast", "direction", "signature", "response", "reason"), "")
    return Claim(
        claim_id=f"R{i}",
        kind=INTERACTION,
        **blank,
        pairs=tuple(names),
        genes=(),
        source=ends[0],
        target=ends[1],
        named_source=ends[0],
        named_target=ends[1],
    )


def ledger_of(cohort, rows):
    """A ledger of this claim alone."""
    named = np.zeros(len(cohort.pairs), dtype=bool)
    named[rows] = True
    none = np.zeros((len(cohort.populations),) * 2, dtype=bool)
    genes = np.zeros(len(cohort.genes), dtype=bool)
    return Ledger(named, dict.fromkeys(rows, none), genes, {})


def p_values(cohort, sets, rng):
    """Give p against decoys as shipped, independent pairs, and other populations."""
    found = []
    for i, rows in enumerate(sets):
        claim, ledger = random_claim(i, cohort, rows, rng), ledger_of(cohort, rows)
        shipped = measure_interaction(claim, cohort, ledger, SETTINGS)
        own, samples = sides(claim, cohort), shipped.samples
        draws = items_of(claim, cohort, ledger).draw(SETTINGS, np.random.default_rng(i))
        apart = interaction_values(cohort, samples, own, draws.rows, level=False)
        value = float(shipped.value[0])
        found.append(
            [
                *(decoy_p_value(value, part.ravel()) for part in (shipped.controls, apart)),
                decoy_p_value(float(shipped.elsewhere[0, 0]), shipped.elsewhere[0, 1:]),
            ]
        )
    return np.array(found)


def kinds_of_sets(cohort, n, rng):
    """Random sets of pairs of each kind."""
    seen = np.flatnonzero((cohort.pair_detection > SEEN).all(axis=1))
    by = {}
    for name, side in (("ligand", cohort.ligands), ("receptor", cohort.receptors)):
        groups = pd.Series(seen).groupby(side[seen]).apply(list)
        by[name] = [group for group in groups if len(group) >= 3]

    def three_of(groups):
        return [
            list(rng.choice(groups[rng.integers(len(groups))], 3, replace=False)) for _ in range(n)
        ]

    return {
        "one pair": [[int(rng.choice(seen))] for _ in range(n)],
        "three pairs": [list(rng.choice(seen, 3, replace=False)) for _ in range(n)],
        "three pairs of one ligand": three_of(by["ligand"]),
        "three pairs of one receptor": three_of(by["receptor"]),
    }


def main():
    """Print, per kind of claim and of decoy, the share of p-values up to each level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=3000)
    n = parser.parse_args().claims
    logging.disable()
    print("share of p-values up to", *LEVELS, sep="\t")
    cohort, rng = cohort_of(*lung_cancer(SHARED)), np.random.default_rng(0)
    for kind, sets in kinds_of_sets(cohort, n, rng).items():
        found = p_values(cohort, sets, rng)
        for decoys, p in zip(("as shipped", "independent", "populations"), found.T, strict=True):
            known = p[~np.isnan(p)]
            shares = [f"{(known <= level).mean():.4f}" for level in LEVELS]
            print(f"{kind}, {decoys} ({len(known)})", *shares, sep="\t")


if __name__ == "__main__":
    main()
