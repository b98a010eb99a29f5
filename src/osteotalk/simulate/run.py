"""Simulate the whole cohort from its tables."""

import logging
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from osteotalk.simulate.check import check_inputs
from osteotalk.simulate.cohort import build_cohort, simulate_sample
from osteotalk.simulate.genes import gene_classes, packaged_families
from osteotalk.simulate.karyotype import (
    draw_karyotypes,
    gene_arms,
    gene_folds,
    gtf_text,
    packaged_positions,
)
from osteotalk.simulate.truth import (
    drawn_populations,
    edge_truth,
    elevation_by_condition,
    raised_genes,
    tumour_populations,
)
from osteotalk.simulate.write import gene_ids, write_gzip, write_triplet, write_truth

LOGGER = logging.getLogger(__name__)


def simulate_cohort(
    *,
    samples: pd.DataFrame,
    files: pd.DataFrame,
    populations: pd.DataFrame,
    markers: pd.DataFrame,
    shares: pd.DataFrame,
    planted: pd.DataFrame,
    resource_genes: Collection[str],
    cells: int,
    genes: int,
    seed: int,
    truth_cells: str | Path,
    truth_edges: str | Path,
    truth_cnv: str | Path,
    positions: pd.DataFrame | None = None,
    raised: pd.DataFrame | None = None,
    signatures: pd.DataFrame | None = None,
) -> None:
    """Simulate every sample of a cohort and write its files and the truth.

    Parameters
    ----------
    samples
        Columns sample, patient, condition, histology; the samples to simulate.
    files
        Columns sample, role, path: matrix, barcodes and features of each sample, and maybe one
        gtf for all of them (sample '').
    populations, markers
        Tables of the analysis. Cells of populations with `cnv_role` malignant have gains and losses
        of whole arms, others in each patient.
    shares
        Columns population, condition, histology, share, patient_sd (config/
        simulation_populations.tsv).
    planted
        Columns claim_id, source, target, ligand, receptor, where (config/simulation_edges.tsv).
    resource_genes
        Genes that the analysis asks for: those of all pairs that are scored, and others.
    cells
        Droplets of the whole cohort, spread evenly over the samples.
    genes
        Genes of the cohort; more if the tables need more.
    seed
        Same tables and seed, same files.
    truth_cells, truth_edges, truth_cnv
        Where the truth goes: populations of the cells, planted edges, gains and losses.
    positions
        Positions of genes, see `packaged_positions`, which is the default.
    raised, signatures
        Other genes that are raised, as columns population, genes, where (config/
        simulation_genes.tsv), and the gene programmes that they name. None: no others.

    Raises
    ------
    ValueError
        Listing everything that is wrong with the tables.
    """
    populations = drawn_populations(populations, shares=shares)
    check_inputs(
        samples=samples,
        files=files,
        populations=populations,
        markers=markers,
        shares=shares,
        planted=planted,
        resource_genes=resource_genes,
        cells=cells,
        raised=raised,
        signatures=signatures,
    )
    elevated = elevation_by_condition(
        populations,
        markers=markers,
        planted=planted,
        conditions=set(samples["condition"]),
        genes=raised_genes(raised, signatures=signatures),
    )
    named = next(iter(elevated.values())).columns
    classes = gene_classes(
        genes, elevated=named, resource=resource_genes, families=packaged_families(), seed=seed
    )
    positions = packaged_positions() if positions is None else positions
    arm = gene_arms(list(classes.index), positions)
    karyotypes = draw_karyotypes(samples["patient"], arm=arm, seed=seed)
    cohort = build_cohort(
        classes,
        populations=populations,
        elevated=elevated,
        seed=seed,
        tumour=tumour_populations(populations),
        folds=gene_folds(karyotypes, arm=arm),
    )
    for path in files.loc[files["role"] == "gtf", "path"]:
        write_gzip(gtf_text(cohort.genes, gene_ids(cohort.genes), positions), path)
    truths = []
    for i, row in enumerate(samples.to_dict("records")):
        here = (shares["condition"] == row["condition"]) & (shares["histology"] == row["histology"])
        table = shares[here].set_index("population")[["share", "patient_sd"]].astype(float)
        counts, barcodes, truth = simulate_sample(
            cohort,
            sample=row["sample"],
            patient=row["patient"],
            condition=row["condition"],
            shares=table,
            cells=cells // len(samples) + (i < cells % len(samples)),
        )
        rows = files[files["sample"] == row["sample"]]
        paths = dict(zip(rows["role"], rows["path"], strict=True))
        write_triplet(counts, barcodes=barcodes, genes=cohort.genes, paths=paths)
        LOGGER.info("sample %s: %d droplets x %d genes", row["sample"], *counts.shape)
        truths.append(truth)
    write_truth(pd.concat(truths, ignore_index=True), truth_cells)
    write_truth(edge_truth(planted, populations=populations), truth_edges)
    write_truth(karyotypes, truth_cnv)
