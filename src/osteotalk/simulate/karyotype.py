"""Gains and losses of chromosome arms in the tumour cells of the simulated cohort."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from osteotalk.ingest import packaged
from osteotalk.ingest.gtf import CHROMOSOMES, COLUMNS, arms
from osteotalk.simulate.seeds import generator

GAIN, LOSS = "gain", "loss"
FOLDS = {GAIN: 1.5, LOSS: 0.5}  # three copies and one copy instead of two
N_CHANGED = 5  # gained arms of a patient, and as many lost ones
MIN_GENES = 20  # genes of an arm that may change
_COLUMNS = ["patient", "arm", "change", "fold", "n_genes"]


def packaged_positions() -> pd.DataFrame:
    """Positions of human genes that come with a package, see `osteotalk.ingest.packaged`.

    Returns
    -------
    Index: symbols; columns chromosome ('chr1'), start, end; in genomic order.
    """
    genes = packaged.packaged_positions()
    return in_order(genes[list(COLUMNS)].set_axis(pd.Index(genes["gene"].to_numpy(object))))


def in_order(positions: pd.DataFrame) -> pd.DataFrame:
    """Sort genes by chromosome, start and symbol."""
    rank = positions["chromosome"].map({name: i for i, name in enumerate(CHROMOSOMES)})
    order = np.lexsort((positions.index.to_numpy(str), positions["start"], rank))
    return positions.iloc[order]


def gene_arms(genes: Sequence[str], positions: pd.DataFrame) -> np.ndarray:
    """Arm of each gene on an autosome; '' for other genes and those without a position."""
    known = positions.reindex(list(genes))
    chromosome = known["chromosome"].fillna("")
    found = arms(chromosome, known["start"].fillna(-1))
    return np.where(chromosome.isin(["chrX", "chrY"]), "", found)


def draw_karyotypes(patients: Iterable[str], *, arm: np.ndarray, seed: int) -> pd.DataFrame:
    """Choose the arms that the tumour of each patient has gained and lost.

    Parameters
    ----------
    patients
        Their names; each has its own random stream.
    arm
        Arm of each gene of the cohort, '' for none.
    seed
        Seed of the cohort.

    Returns
    -------
    Columns patient, arm, change (gain or loss), fold (of all genes of the arm), n_genes; by
    patient, then along the genome. No row if too few arms have enough genes.
    """
    sizes = pd.Series(arm[arm != ""], dtype=object).value_counts()
    free = [name for name in _along_genome(sizes.index) if sizes[name] >= MIN_GENES]
    rows = []
    for patient in sorted(set(patients)):
        if len(free) < 2 * N_CHANGED:
            break
        drawn = generator(seed, "karyotype", patient).permutation(len(free))[: 2 * N_CHANGED]
        for i in sorted(drawn):
            change = GAIN if i in drawn[:N_CHANGED] else LOSS
            rows.append((patient, free[i], change, FOLDS[change], int(sizes[free[i]])))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _along_genome(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (int(name[:-1]), name[-1]))


def gene_folds(karyotypes: pd.DataFrame, *, arm: np.ndarray) -> dict[str, np.ndarray]:
    """Fold change of each gene in the tumour cells of each patient who has changed arms."""
    folds = {}
    for patient, rows in karyotypes.groupby("patient", sort=True):
        by_arm = dict(zip(rows["arm"], rows["fold"].astype(float), strict=True))
        folds[str(patient)] = np.array([by_arm.get(name, 1.0) for name in arm])
    return folds


def gtf_text(genes: Sequence[str], ids: Sequence[str], positions: pd.DataFrame) -> bytes:
    """GTF with one row for each gene of the cohort whose position is known, in genomic order.

    Parameters
    ----------
    genes, ids
        Symbols of the cohort, and the ids that its files give them.
    positions
        Index: symbols; columns chromosome, start, end.
    """
    id_of = dict(zip(genes, ids, strict=True))
    known = in_order(positions[positions.index.isin(list(genes))])
    lines = [
        f"{row.chromosome}\tpackaged\tgene\t{row.start}\t{row.end}\t.\t+\t.\t"
        f'gene_id "{id_of[str(row.Index)]}"; gene_name "{row.Index}";\n'
        for row in known.itertuples()
    ]
    return "".join(["#!genome-build GRCh37\n", *lines]).encode()
