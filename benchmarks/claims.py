"""Evidence for the shipped claims in a made cohort of 17 patients and 20 populations.

Run from the repository: python benchmarks/claims.py [--claims 3] [--decoys 25]

The cohort is arrays of random numbers: 20,000 genes, among them all of LIANA's consensus, and every
claim of config/claims.tsv with its decoys. The peer is what one would write first: loops over
samples, decoys, pairs and populations. It is run for some interaction claims and some decoys of
them, has to find the same numbers, and its time is scaled to all.
"""

import argparse
import itertools
import resource
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from osteotalk.claims.claim import read_claims
from osteotalk.claims.controls.candidates import Settings, draw_pairs, items_of
from osteotalk.claims.controls.decoys import claim_rng
from osteotalk.claims.evidence import gather_evidence, read_ledger
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.measure import measure_interaction
from osteotalk.claims.measures.programmes import MIN_GENES, measured_genes
from osteotalk.claims.measures.samples import unnamed_cells
from osteotalk.claims.measures.values import sides
from osteotalk.claims.verdicts import Rules
from osteotalk.interactions.pairs.resource import liana_resource

PATIENTS, POPULATIONS, GENES = 17, 20, 20_000
SETTINGS = Settings(n_decoys=1000, decoy_pool=500, seed=0)
RULES = Rules(
    min_patients=3, min_support=0.5, max_decoy_q=0.05, max_direction_p=0.05, max_population_p=0.05
)
CONFIG = Path(__file__).parents[1] / "config"


def table_of(name):
    """Read a table of config/ as text."""
    return pd.read_csv(
        CONFIG / f"{name}.tsv", sep="\t", dtype=str, keep_default_na=False, comment="#"
    )


def make_cohort(tables):
    """Random means of every gene in every population, and random calls."""
    rng = np.random.default_rng(0)
    words = tables["populations"]
    fine = words[(words["level"] != "state") & ~words["population"].isin(set(words["parent"]))]
    names = tuple(fine["population"])[:POPULATIONS]
    pairs = liana_resource("consensus")[["ligand", "receptor"]].drop_duplicates(ignore_index=True)
    parts = {g for side in pairs.to_numpy().ravel() for g in side.split("_")}
    parts |= set(tables["signatures"]["gene"]) | {
        gene for cell in tables["claims"]["genes"] for gene in cell.split(";") if gene
    }
    genes = pd.Index([*sorted(parts), *(f"X{i}" for i in range(GENES - len(parts)))])
    shape = (PATIENTS, len(names), GENES)
    rate = rng.lognormal(-2, 1, size=GENES) * rng.lognormal(0, 0.7, size=shape[1:])
    means = np.log1p(rate * rng.lognormal(0, 0.3, size=shape))
    weights = {
        name: own
        for name, own in measured_genes(tables["signatures"], genes).items()
        if len(own) >= MIN_GENES
    }
    ids = tables["claims"]["claim_id"]
    shares = 1 - np.exp(-means)
    return Cohort(
        dataset="made",
        samples=tuple(f"S{i:02d}" for i in range(PATIENTS)),
        patients=tuple(f"P{i:02d}" for i in range(PATIENTS)),
        conditions=tuple(("primary", "lung_metastasis")[i % 2] for i in range(PATIENTS)),
        populations=names,
        sizes=rng.integers(5, 600, size=shape[:2]),
        states={},
        state_parents=dict(zip(words["population"], words["parent"], strict=True)),
        genes=genes,
        measured=np.ones((PATIENTS, GENES), dtype=bool),
        means=means,
        shares=shares,
        detection=shares.mean(axis=(0, 1)),
        pairs=pairs,
        active=rng.random((PATIENTS, len(pairs), len(names), len(names))) < 0.05,
        programmes={
            name: means[:, :, genes.get_indexer(own.index)] @ own.to_numpy() / len(own)
            for name, own in weights.items()
        },
        tested=tuple(frozenset(ids[rng.random(len(ids)) < 0.3]) for _ in range(PATIENTS)),
        min_cells=10,
        expr_prop=0.1,
        alpha=0.05,
        partners=np.arange(PATIENTS),
        unnamed=unnamed_cells(
            pd.DataFrame(columns=["patient", "subcluster", "best_match", "population"])
        ),
    )


def naive(cohort, samples, own, decoys):
    """Specificity of decoys by loops: samples x decoys."""
    columns = [cohort.genes.get_indexer(name.split("_")) for name in cohort.complexes]

    def share(sample, population, complex_):
        genes = columns[complex_]
        if cohort.shares[sample, population, genes].min() < cohort.expr_prop:
            return 0.0
        means = [cohort.means[sample, k, genes].min() for k in range(len(cohort.populations))]
        return means[population] / sum(means)

    found = np.zeros((len(samples), len(decoys[0])))
    for (i, sample), d in itertools.product(enumerate(samples), range(len(decoys[0]))):
        strengths = [
            max(
                share(sample, a, ligand) * share(sample, b, receptor)
                for a in own.source
                for b in own.target
            )
            for ligand, receptor in zip(decoys[0][d], decoys[1][d], strict=True)
        ]
        found[i, d] = sum(strengths) / len(strengths)
    return found


def engine(tables, cohort, _options):
    """All claims by the engine."""
    start = time.perf_counter()
    evidence = gather_evidence(
        tables["claims"], cohort, vocabulary=tables["populations"], markers=tables["markers"],
        signatures=tables["signatures"], rules=RULES, settings=SETTINGS,
    ).evidence  # fmt: skip
    seconds = time.perf_counter() - start
    tested = int((evidence["n_decoys"] > 0).sum())
    decoys = int(evidence["n_decoys"].sum() + evidence["n_population_decoys"].sum())
    told = f"{len(evidence)} claims, {tested} with decoys, {decoys:,} decoys in all"
    return seconds, f"{told}, {len(cohort.pairs):,} pairs"


def loops(tables, cohort, options):
    """Pair decoys of some plain interaction claims by loops, scaled to all of them."""
    claims = read_claims(tables["claims"], vocabulary=tables["populations"])
    ledger = read_ledger(claims, cohort, signatures=tables["signatures"])
    work, done, worst, seconds = 0, 0, 0.0, 0.0
    plain = [c for c in claims if c.kind == "interaction" and not c.contrast]
    for i, claim in enumerate(plain):
        items = items_of(claim, cohort, ledger)
        found = measure_interaction(claim, cohort, ledger, SETTINGS)
        if not found.controls.size:
            continue
        own = sides(claim, cohort)
        edges = len(items.rows) * len(own.source) * len(own.target)
        work += found.controls.size * edges
        if i % max(len(plain) // options.claims, 1):
            continue
        rng = claim_rng(SETTINGS.seed, cohort.dataset, claim.claim_id)
        decoys, _ = draw_pairs(items, cohort, SETTINGS, rng)
        some = tuple(side[: options.decoys] for side in decoys)
        start = time.perf_counter()
        value = naive(cohort, found.samples, own, some)
        seconds += time.perf_counter() - start
        done += value.size * edges
        worst = max(worst, float(abs(value - found.controls[:, : options.decoys]).max()))
    told = f"{done:,} of {work:,} edges in {seconds:.1f} s; largest difference {worst:.1g}"
    return seconds * work / done, told


def measure(how, options, queue):
    """Run in a process of its own: seconds, peak memory in MB before and after, what was done."""
    names = ("claims", "populations", "markers", "signatures")
    tables = {name: table_of(name) for name in names}
    cohort = make_cohort(tables)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, told = how(tables, cohort, options)
    queue.put((seconds, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, told))


def main():
    """Print time and memory of both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=3, help="claims of the loops, about")
    parser.add_argument("--decoys", type=int, default=25, help="decoys of each in the loops")
    options = parser.parse_args()
    context = get_context("spawn")
    queue = context.Queue()
    for how, name in ((engine, "gather_evidence"), (loops, "loops, pair decoys only, scaled")):
        process = context.Process(target=measure, args=(how, options, queue))
        process.start()
        seconds, before, peak, told = queue.get()
        process.join()
        print(f"{name}: {seconds:,.1f} s, peak {peak:,.0f} MB ({before:,.0f} MB before); {told}")


if __name__ == "__main__":
    main()
