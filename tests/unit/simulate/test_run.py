import gzip
import hashlib

import numpy as np
import pandas as pd
import pytest
import scanpy
from scipy import sparse

from osteotalk.ingest.gtf import read_gtf
from osteotalk.simulate import simulate_cohort, write


@pytest.fixture
def inputs(samples, files, populations, markers, shares, planted, tmp_path):
    return {
        "samples": samples,
        "files": files,
        "populations": populations,
        "markers": markers,
        "shares": shares,
        "planted": planted,
        "resource_genes": ["L1", "L2", "R1", "R2", "R3", *(f"PAIR{i}" for i in range(40))],
        "cells": 101,
        "genes": 400,
        "seed": 1,
        "truth_cells": tmp_path / "truth" / "cells.tsv",
        "truth_edges": tmp_path / "truth" / "edges.tsv",
        "truth_cnv": tmp_path / "truth" / "cnv.tsv",
    }


def digest(folder):
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def test_same_seed_gives_the_same_bytes(inputs, tmp_path):
    simulate_cohort(**inputs)
    first = digest(tmp_path)
    simulate_cohort(**inputs | {"samples": inputs["samples"]})
    assert digest(tmp_path) == first
    assert len(first) == 9
    simulate_cohort(**inputs | {"seed": 2})
    other = digest(tmp_path)
    assert {name for name in first if first[name] == other[name]} <= {
        "truth/edges.tsv",
        "truth/cnv.tsv",  # empty: no gene of the toy has a known position
        *(name for name in first if "features" in name),
    }


def test_order_of_samples_does_not_matter(inputs, tmp_path):
    even = inputs | {"cells": 100}
    simulate_cohort(**even)
    first = digest(tmp_path)
    simulate_cohort(**even | {"samples": inputs["samples"].iloc[::-1]})
    changed = {name for name, value in digest(tmp_path).items() if value != first[name]}
    assert changed == {"truth/cells.tsv"}  # the same rows, the samples the other way round


def test_round_trip_through_scanpy(inputs, tmp_path):
    simulate_cohort(**inputs)
    adata = scanpy.read_10x_mtx(tmp_path / "S2")
    flat = scanpy.read_10x_mtx(tmp_path / "flat", prefix="GEO_S1_")
    cells = pd.read_csv(inputs["truth_cells"], sep="\t", dtype=str, keep_default_na=False)
    assert flat.shape == (51, 400)
    assert adata.shape == (50, 400)
    assert list(adata.obs_names) == cells.loc[cells["sample"] == "S2", "barcode"].tolist()
    assert adata.var["gene_ids"].iloc[0] == "SIM00001"
    assert set(adata.var["feature_types"]) == {"Gene Expression"}
    counts = adata.to_df()
    kind = cells.loc[cells["sample"] == "S2"].set_index("barcode")
    single = kind[kind["state"] == "single"]
    detected = (counts.loc[single.index] > 0).groupby(single["population"].to_numpy()).mean()
    assert detected.loc["macrophage", "MM"] > 0.5 > detected.loc["tumour_a", "MM"]


def test_positions_and_copy_numbers_are_written(inputs, tmp_path):
    """Of 45 arms with 30 genes each; the file is read back by the reader of GTF files."""
    arms = [(f"chr{c}", s) for c in range(1, 23) for s in (1_000, 130_000_000)]
    genes = [f"PAIR{i}" for i in range(30 * len(arms))]
    positions = pd.DataFrame(
        [(*arms[i % len(arms)], 0) for i in range(len(genes))],
        columns=["chromosome", "start", "end"],
        index=genes,
    )
    positions["start"] += np.arange(len(genes))
    positions["end"] = positions["start"] + 10
    row = {"sample": "", "role": "gtf", "path": str(tmp_path / "genes.gtf.gz")}
    files = pd.concat([inputs["files"], pd.DataFrame([row])])
    resource = [*inputs["resource_genes"], *genes]
    simulate_cohort(**inputs | {"files": files, "positions": positions, "resource_genes": resource})
    truth = pd.read_csv(inputs["truth_cnv"], sep="\t")
    assert list(truth) == ["patient", "arm", "change", "fold", "n_genes"]
    assert truth.groupby(["patient", "change"]).size().to_dict() == dict.fromkeys(
        [("P1", "gain"), ("P1", "loss"), ("P2", "gain"), ("P2", "loss")], 5
    )
    assert set(zip(truth["change"], truth["fold"], strict=True)) == {("gain", 1.5), ("loss", 0.5)}
    assert set(truth["n_genes"]) == {30}
    arms_of = truth.groupby("patient")["arm"].agg(set)
    assert arms_of["P1"] != arms_of["P2"]
    gtf = read_gtf(tmp_path / "genes.gtf.gz").set_index("gene")
    assert gtf[["chromosome", "start", "end"]].to_dict("index") == positions.to_dict("index")
    features = pd.read_csv(tmp_path / "S2" / "features.tsv.gz", sep="\t", header=None)
    assert (
        gtf["gene_id"].to_dict().items() <= dict(zip(features[1], features[0], strict=True)).items()
    )


def test_truth_tables(inputs):
    simulate_cohort(**inputs)
    edges = pd.read_csv(inputs["truth_edges"], sep="\t", dtype=str)
    assert list(edges) == [
        "source",
        "target",
        "ligand_complex",
        "receptor_complex",
        "where",
        "claim_ids",
    ]
    assert len(edges) == 3
    cells = pd.read_csv(inputs["truth_cells"], sep="\t", dtype=str, keep_default_na=False)
    assert cells["sample"].value_counts().to_dict() == {"S1": 51, "S2": 50}


def test_matrix_is_what_cell_ranger_writes():
    counts = sparse.csr_matrix(np.array([[0, 2, 0], [1, 0, 30]], dtype=np.int32))
    lines = write.matrix_market(counts).decode().splitlines()
    assert lines[0] == "%%MatrixMarket matrix coordinate integer general"
    body = [line for line in lines if not line.startswith("%")]
    assert body == ["3 2 3", "2 1 2", "1 2 1", "3 2 30"]


def test_gzip_has_no_time_and_no_name_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "a" / "x.tsv.gz"
    write.write_gzip(b"text\n", path)
    raw = path.read_bytes()
    assert gzip.decompress(raw) == b"text\n"
    assert raw[3] == 0  # flags: no name
    assert raw[4:8] == bytes(4)  # time
    assert list(path.parent.iterdir()) == [path]


def test_all_problems_of_the_tables_are_reported_at_once(inputs):
    shares = inputs["shares"].copy()
    shares.loc[0, "share"] = "0.5"
    shares.loc[1, "population"] = "tumour_c"
    shares.loc[4, "patient_sd"] = "x"
    planted = inputs["planted"].copy()
    planted.loc[0, "ligand"] = "NOGENE"
    planted.loc[1, "target"] = "makrophage"
    planted.loc[2, "where"] = "metastases"
    samples = pd.concat(
        [
            inputs["samples"],
            pd.DataFrame(
                [{"sample": "S3", "patient": "P3", "condition": "primary", "histology": "rare"}]
            ),
        ]
    )
    bad = inputs | {"shares": shares, "planted": planted, "samples": samples, "cells": 2}
    with pytest.raises(ValueError, match="the simulation has 9 problem") as error:
        simulate_cohort(**bad)
    message = str(error.value)
    for part in (
        "population 'tumour_c' is not a leaf of the table of populations; closest: 'tumour_b'",
        "condition 'primary', histology 'usual': shares sum to 1.1, must be 1",
        "macrophage in metastasis, usual: patient_sd must be a number, at least 0; found 'x'",
        "no shares for condition 'primary', histology 'rare' (sample S3)",
        "gene 'NOGENE' is in no scored pair and no marker, so it cannot be planted",
        "target 'makrophage' is not in the table of populations; closest: 'macrophage'",
        "where 'metastases' is not one of all, metastasis, primary",
        "sample 'S3' needs one file each of matrix, barcodes, features; found none",
        "2 droplets cannot fill 3 samples",
    ):
        assert part in message


def test_a_population_listed_twice_is_refused(inputs):
    shares = pd.concat([inputs["shares"], inputs["shares"].iloc[[4]].assign(share="0")])
    with pytest.raises(ValueError, match="macrophage in metastasis, usual: listed twice"):
        simulate_cohort(**inputs | {"shares": shares})
