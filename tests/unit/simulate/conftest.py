"""Toy tables: two leaves below one parent, one leaf alone, two conditions."""

from pathlib import Path

import pandas as pd
import pytest

CONFIG = Path(__file__).parents[3] / "config"


def table(text: str) -> pd.DataFrame:
    rows = [line.split() for line in text.strip().splitlines()]
    cells = [["" if cell == "-" else cell for cell in row] for row in rows[1:]]
    return pd.DataFrame(cells, columns=rows[0], dtype=object)


@pytest.fixture
def make_table():
    return table


@pytest.fixture
def populations():
    return table(
        """
        population parent level cnv_role
        tumour - - malignant
        tumour_a tumour - malignant
        tumour_b tumour - malignant
        macrophage - - reference
        """
    )


@pytest.fixture
def markers():
    return table(
        """
        population gene
        tumour_a MA
        tumour_b MB
        macrophage MM
        macrophage R1
        """
    )


@pytest.fixture
def planted():
    return table(
        """
        claim_id source target ligand receptor where
        K1 tumour_a macrophage L1 R1 all
        K2 tumour_a macrophage L1 R1 all
        K3 macrophage tumour L2 R2_R3 metastasis
        """
    )


@pytest.fixture
def samples():
    return table(
        """
        sample patient condition histology
        S1 P1 primary usual
        S2 P2 metastasis usual
        """
    )


@pytest.fixture
def shares():
    return table(
        """
        population condition histology share patient_sd
        tumour_a primary usual 0.4 0.5
        tumour_b primary usual 0.3 0.5
        macrophage primary usual 0.3 0
        tumour_a metastasis usual 0.5 0.5
        macrophage metastasis usual 0.5 0
        """
    )


@pytest.fixture
def files(tmp_path):
    rows = [
        (sample, role, str(tmp_path / path))
        for sample, start in (("S1", "flat/GEO_S1_"), ("S2", "S2/"))
        for role, path in (
            ("matrix", start + "matrix.mtx.gz"),
            ("barcodes", start + "barcodes.tsv.gz"),
            ("features", start + "features.tsv.gz"),
        )
    ]
    return pd.DataFrame(rows, columns=["sample", "role", "path"])
