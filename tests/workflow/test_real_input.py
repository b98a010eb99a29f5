"""Real cohorts, through a config only, to a report."""

import html
import json
import re
import shutil
from importlib.metadata import version

import anndata as ad
import pandas as pd
import pytest

from osteotalk import io
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.ingest.sample import read_sample

pytestmark = pytest.mark.slow


def own_cohort(project, dataset, samples, files, *, sample_key=""):
    """Tables in the folder of the run, and the config that points to them."""
    frames = {
        "datasets": ([(dataset, "Real data", "local", sample_key)],
                     ["dataset", "title", "source", "sample_key"]),
        "samples": (samples, ["dataset", "sample", "patient", "condition"]),
        "files": (files, ["dataset", "sample", "role", "path"]),
    }  # fmt: skip
    for name, (rows, columns) in frames.items():
        frame = pd.DataFrame(rows, columns=columns)
        frame.to_csv(project.run / f"my_{name}.tsv", sep="\t", index=False)
    return {
        "datasets": [dataset],
        "tables": {name: f"my_{name}.tsv" for name in frames},
        "claims": {"n_decoy_tables": 1, "n_shuffles": 1},
    }


def check(project, dataset):
    results = project.run / "results"
    text = (results / "report" / "index.html").read_text()
    assert "SIMULATED" not in text
    verdicts = io.read_tsv(results / "claims" / "verdicts.tsv", table="verdicts")
    assert len(verdicts) == 101
    assert (results / "report" / f"{dataset}.html").stat().st_size > 10_000
    return verdicts, ad.read_h5ad(results / dataset / "annotated.h5ad")


def test_nsclc_seven_patients_with_few_cells(project, shared_data):
    path = shared_data / "nsclc_zilionis_300.h5ad"
    patients = sorted(ad.read_h5ad(path).obs["patient"].astype(str).unique())
    config = own_cohort(
        project,
        "nsclc",
        [("nsclc", p, p, "primary") for p in patients],
        [("nsclc", "", "h5ad", str(path))],
        sample_key="patient",
    )
    project.snakemake(config=config)
    verdicts, adata = check(project, "nsclc")
    assert set(adata.obs["sample"]) <= set(patients)
    # too few cells of a population are said, not crashed on
    logs = project.run / "logs" / "score_interactions" / "nsclc"
    assert re.search(r"fewer than 10 cells take no part", (logs / f"{patients[0]}.log").read_text())
    assert (verdicts["verdict"] == "not testable").all()  # ~40 cells a patient are too few
    assert adata.n_obs > 250
    # positions of genes need no network
    known = adata.uns["osteotalk"]["positions"]
    origin = f"infercnvpy {version('infercnvpy')}, GRCh37"
    assert known["source"] == origin
    assert adata.uns["osteotalk"]["malignancy"]["n_genes"] > 1000
    assert adata.obs["cnv_score"].notna().any()
    told = json.loads((project.run / "results/provenance.json").read_text())
    assert [row["role"] for row in told["files"]] == ["h5ad"]
    for page in ("methods", "provenance"):
        text = (project.run / f"results/report/{page}.html").read_text()
        assert f"from {origin}, {known['n_known']:,} of {known['n_genes']:,} genes" in text
        assert "NO COPY NUMBER in &#39;Real data&#39;" not in text
    # the authors called these cells T cells, B cells ... : where we name a population, it agrees
    majors = adata.obs["population_major"]
    author = ad.read_h5ad(path).obs["author_major_cell_type"].astype(str)
    author.index = [f"{p}_{b}" for p, b in zip(
        ad.read_h5ad(path).obs["patient"].astype(str), author.index, strict=True)]  # fmt: skip
    agreed = pd.crosstab(author.reindex(adata.obs_names), majors)
    assert agreed.to_numpy().sum() == adata.n_obs
    lymphoid = agreed.index.str.contains("T cell|NK", regex=True)
    assert agreed.loc[lymphoid, "t_nk"].sum() >= 0.7 * agreed["t_nk"].sum()


def test_idc_one_donor_gives_no_verdict(project, shared_data):
    path = shared_data / "breast_idc_10x_filtered_feature_bc_matrix.h5"
    config = own_cohort(
        project, "idc", [("idc", "S1", "S1", "primary")], [("idc", "S1", "h5", str(path))]
    )
    config["genes"] = {"positions": ""}
    project.snakemake(config=config)
    verdicts, adata = check(project, "idc")
    # without positions no tumour cell is told by copy number, and no page hides it
    assert "yes" not in set(adata.obs["malignant"])
    assert adata.obs["cnv_score"].isna().all()
    pages = list((project.run / "results" / "report").rglob("*.html"))
    assert len(pages) > 101
    assert all("NO COPY NUMBER in &#39;Real data&#39;" in page.read_text() for page in pages)
    assert (verdicts["verdict"] == "not testable").all()
    assert adata.n_obs > 300


def rules_run(text):
    return re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE)


def check_left_out(run):
    """Sample `cut` is named with its reason wherever its cohort is told of."""
    (told,) = json.loads((run / "results/mine/left_out.json").read_text())["left_out"]
    assert told["sample"] == told["patient"] == "cut"
    assert "cut.h5ad" in told["reason"]
    provenance = json.loads((run / "results/provenance.json").read_text())
    assert provenance["left_out"] == [told]
    assert "cut.h5ad" in {row["path"] for row in provenance["files"]}
    warning = "SAMPLES LEFT OUT: cut of &#39;Real data&#39; could not be read."
    pages = list((run / "results/report").rglob("*.html"))
    assert len(pages) > 101
    assert all(warning in page.read_text() for page in pages)
    page = html.unescape((run / "results/report/mine.html").read_text())
    reason = " ".join(told["reason"].split())
    assert "Left out, as it could not be read: sample cut of patient cut (primary; " in page
    assert reason in page
    assert page.count(">cut<") == 0  # in no table
    log = (run / "logs/ingest_sample/mine/cut.log").read_text()
    assert f"sample cut (cut.h5ad) is left out: {told['reason']}" in log


def test_a_sample_without_cells_is_dropped_and_reported(project, simulated):
    """Two good samples, one of debris, one that cannot be read; then without leave to skip it."""
    config = own_cohort(
        project,
        "mine",
        [("mine", name, name, "primary") for name in ("A", "B", "junk", "cut")],
        [("mine", name, "h5ad", f"{name}.h5ad") for name in ("A", "B", "junk", "cut")],
    )
    config |= {key: simulated.small[key] for key in ("integration", "claims", "interactions")}
    # a file of one's own for all cohorts, found in the folder of the run
    shutil.copy(simulated.run / "resources/simulated_os/genes.gtf.gz", project.run / "all.gtf.gz")
    config["genes"] = {"positions": "all.gtf.gz"}
    for name, source in {"A": "OS1", "B": "OS2", "junk": "OS3"}.items():
        start = f"{simulated.run}/resources/simulated_os/SIM000000{source[-1]}_{source}"
        files = {
            role: f"{start}_{role}.{end}"
            for role, end in (("matrix", "mtx.gz"), ("barcodes", "tsv.gz"), ("features", "tsv.gz"))
        }
        row = {"dataset": "mine", "sample": name, "patient": name, "condition": "primary"}
        symbols = read_symbols(project.copy / "config" / "gene_symbols.tsv")
        adata, _ = read_sample(files, sample_row=row, symbols=symbols)
        if name == "junk":
            adata.X.data[:] = 1
            adata = adata[:, :150].copy()
        adata.write_h5ad(project.run / f"{name}.h5ad")
    whole = (project.run / "A.h5ad").read_bytes()
    (project.run / "cut.h5ad").write_bytes(whole[: len(whole) // 2])
    config["on_sample_failure"] = "skip"
    config["claims"] = {**config["claims"], "min_patients": 2}
    project.snakemake("results/report", config=config)
    check_left_out(project.run)
    qc = json.loads((project.run / "results/mine/samples/junk/qc.json").read_text())
    assert qc["n_cells_kept"] == 0
    adata = ad.read_h5ad(project.run / "results/mine/annotated.h5ad")
    assert set(adata.obs["sample"]) == {"A", "B"}
    assert list(adata.uns["osteotalk"]["integrate"]["empty_samples"]) == ["junk"]
    assert "junk" in (project.run / "results/report/mine.html").read_text()
    assert set(adata.obs["malignant"]) >= {"yes", "no"}
    assert adata.uns["osteotalk"]["positions"]["source"] == "shared"
    told = json.loads((project.run / "results/provenance.json").read_text())["files"]
    assert [row["dataset"] for row in told if row["path"] == "all.gtf.gz"] == ["mine"]
    methods = (project.run / "results/report/methods.html").read_text()
    assert "Positions of genes of Real data: from all.gtf.gz, which genes.positions" in methods
    assert "NO COPY NUMBER" not in methods

    # what was read is not read again, and the sample that was left out stops the run
    config["on_sample_failure"] = "stop"
    targets = ("results/mine/annotated.h5ad", "results/mine/left_out.json")
    assert rules_run(project.snakemake("-n", *targets, config=config)) == ["check_samples"]
    text = project.snakemake("results/report", config=config, fails=True)
    assert rules_run(text) == ["check_samples"]
    assert "1 of 4 samples of cohort 'mine' cannot be read and were left out" in text
    assert "on_sample_failure: skip in the config" in text

    samples = project.run / "my_samples.tsv"
    lines = samples.read_text().splitlines()
    samples.write_text("\n".join([lines[0], lines[-2]]) + "\n")
    text = project.snakemake("results/mine/annotated.h5ad", config=config, fails=True)
    assert "no sample has a cell left after quality control" in text
