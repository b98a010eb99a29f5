"""How close the estimated share of ambient RNA comes to the share planted in simulated samples.

Run from the repository: python benchmarks/ambient.py

The samples are drawn by the embedded simulation. Dying droplets are left out, doublets are left in.
The method was adjusted on samples of this simulation, so real samples may fare worse.
"""

import logging
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.prepare.ambient import estimate_ambient
from osteotalk.simulate.cohort import DYING, Levels, build_cohort, simulate_sample
from osteotalk.simulate.genes import gene_classes, packaged_families
from osteotalk.simulate.truth import drawn_populations, elevation_by_condition

REPOSITORY = Path(__file__).resolve().parents[1]
PLANTED = ((0.0, 0.0), (0.02, 0.05), (0.08, 0.12), (0.17, 0.23))  # range of the droplets' shares
CELLS = (300, 860, 3000)
CONDITIONS = ("primary", "lung_metastasis")
HISTOLOGY = "osteoblastic"
GENES = 6000
SEEDS = (11, 12)


def table(name: str) -> pd.DataFrame:
    """Read one of the tables of the analysis as text."""
    path = REPOSITORY / "config" / f"{name}.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#", quoting=3)


def resource_genes() -> set[str]:
    """Give the genes of LIANA's pairs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import liana

        pairs = liana.rs.select_resource("consensus")
    cells = [*pairs["ligand"], *pairs["receptor"]]
    return {gene for cell in cells for gene in cell.split("_")}


def estimates(shares: tuple[float, float], *, seed: int, genes: set[str]) -> list[dict]:
    """Draw a sample of each size and condition, and estimate its share of ambient RNA."""
    makeup = table("simulation_populations")
    populations = drawn_populations(table("populations"), shares=makeup)
    elevated = elevation_by_condition(
        populations,
        markers=table("markers"),
        planted=table("simulation_edges"),
        conditions=set(CONDITIONS),
    )
    raised = next(iter(elevated.values())).columns
    families = packaged_families()
    classes = gene_classes(GENES, elevated=raised, resource=genes, families=families, seed=seed)
    levels = replace(Levels(), ambient=shares)
    cohort = build_cohort(
        classes, populations=populations, elevated=elevated, seed=seed, levels=levels
    )
    rows = []
    for condition in CONDITIONS:
        here = (makeup["condition"] == condition) & (makeup["histology"] == HISTOLOGY)
        own = makeup[here].set_index("population")[["share", "patient_sd"]].astype(float)
        for cells in CELLS:
            name = f"{condition} {cells}"
            counts, _, truth = simulate_sample(
                cohort, sample=name, patient=name, condition=condition, shares=own, cells=cells
            )
            alive = AnnData(counts[(truth["state"] != DYING).to_numpy()])
            found = estimate_ambient(alive, seed=0).record
            rows.append({"condition": condition, "droplets": cells, "seed": seed, **found})
    return rows


def percent(value: float | None) -> str:
    """Write a share with one decimal."""
    return "-" if value is None else f"{100 * value:.1f}"


def main() -> None:
    """Print planted and estimated shares, and the largest differences."""
    logging.disable(logging.WARNING)
    genes, errors = resource_genes(), {cells: [] for cells in CELLS}
    missed = inside = 0
    print("percent of counts: planted, estimated (95 % interval)")
    for shares in PLANTED:
        truth = float(np.mean(shares))
        for row in [r for seed in SEEDS for r in estimates(shares, seed=seed, genes=genes)]:
            low, share, high = (row[key] for key in ("share_low", "share", "share_high"))
            print(
                f"  {row['condition']:<16}{row['droplets']:>5} droplets, seed {row['seed']}: "
                f"{percent(truth):>5} {percent(share):>5} ({percent(low)} to {percent(high)}) "
                f"{row['reason']}"
            )
            if share is None:
                missed += 1
                continue
            errors[row["droplets"]].append(share - truth)
            inside += low <= truth <= high
    for cells, found in errors.items():
        worst, mean = np.abs(found).max(), np.mean(found)
        print(
            f"{cells} droplets: at most {100 * worst:.1f} points off, {100 * mean:+.1f} on average"
        )
    told = sum(map(len, errors.values()))
    print(f"{told} shares told, {inside} intervals hold the planted share; {missed} not told")


if __name__ == "__main__":
    main()
