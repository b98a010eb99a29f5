import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.report.figures.cnv import cnv_heatmap, group_of, row_order
from osteotalk.report.words.vocabulary import vocabulary


@pytest.fixture
def words():
    names = ["malignant", "fibroblast", "tam"]
    return vocabulary(
        pd.DataFrame(
            {"population": names, "label": names, "colour": ["#8C2D04", "#999933", "#4477AA"]}
        )
    )


@pytest.fixture
def cnv():
    rows = [
        ("P2", "malignant", "yes", "no"),
        ("P1", "tam", "no", "yes"),
        ("P1", "fibroblast", "no", "no"),
        ("P1", "malignant", "yes", "no"),
        ("P1", "unassigned", "undetermined", "no"),
        ("P2", "tam", "undetermined", "yes"),
        ("P1", "malignant", "no", "no"),
    ]
    columns = ["patient", "population", "malignant", "reference"]
    obs = pd.DataFrame(rows, columns=columns, index=list("abcdefg"))
    chromosomes = [f"chr{c}" for c in (1, 2, 21, 22) for _ in range(1 if c > 20 else 60)]
    var = pd.DataFrame({"chromosome": chromosomes, "start": 1})
    var.index = [f"window_{i}" for i in range(len(var))]
    values = np.random.default_rng(0).normal(0, 0.1, (len(obs), len(var)))
    return AnnData(sparse.csr_matrix(values, dtype=np.float32), obs=obs, var=var)


def test_rows_go_by_patient_call_and_population(cnv, words):
    assert group_of(cnv.obs).tolist() == [
        "yes", "reference", "no", "yes", "undetermined", "reference", "no",
    ]  # fmt: skip
    assert cnv.obs_names[row_order(cnv.obs, words)].tolist() == list("bgcedfa")


def test_order_of_cells_does_not_change_the_figure(cnv, words):
    first = cnv_heatmap(cnv, words=words, uid="cnv", alt="copy number", stamp="Simulated")
    again = cnv_heatmap(
        cnv[::-1].copy(), words=words, uid="cnv", alt="copy number", stamp="Simulated"
    )
    assert first == again
    for text in ("P1", "P2", "malignant (2)", "undetermined (1)", "not malignant (2)", "Simulated"):
        assert text in first
    assert 'aria-label="copy number"' in first
    assert ">22<" not in first  # its name would lie on that of its neighbour


def test_one_cell_or_none(cnv, words):
    assert cnv_heatmap(cnv[:0].copy(), words=words, uid="cnv", alt="x") == ""
    assert cnv_heatmap(cnv[:, :0].copy(), words=words, uid="cnv", alt="x") == ""
    assert cnv_heatmap(cnv[:1].copy(), words=words, uid="cnv", alt="x").startswith("<svg")
    flat = cnv.copy()
    flat.X = sparse.csr_matrix(flat.shape, dtype=np.float32)
    assert cnv_heatmap(flat, words=words, uid="cnv", alt="x").startswith("<svg")
