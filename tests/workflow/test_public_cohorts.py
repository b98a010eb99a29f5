"""Public cohorts by accession, from a server on loopback that has them under published names."""

import csv
import gzip
import io as text_io
import json
import re
import shutil
import tarfile
import zipfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from osteotalk import io

pytestmark = pytest.mark.slow

GEO = "https://ftp.ncbi.nlm.nih.gov/"
SCPCA = "https://api.scpca.alexslemonade.org/"
EBI = "https://ftp.ebi.ac.uk/"
GENCODE = EBI + "pub/databases/gencode/Gencode_human/release_44/gencode.v44.basic.annotation.gtf.gz"
ROLES = {"barcodes": "tsv.gz", "features": "tsv.gz", "matrix": "mtx.gz"}
SIMULATED = ("OS1", "OS2", "OS3", "OS4", "LM1", "LM2", "LM3")
# The sheet as published: datasets.md, written out here by hand and not read from the tables.
GSE152048 = {
    "BC2": ("primary", "osteoblastic"),
    "BC3": ("primary", "osteoblastic"),
    "BC5": ("primary", "osteoblastic"),
    "BC6": ("primary", "osteoblastic"),
    "BC10": ("lung_metastasis", "osteoblastic"),
    "BC11": ("recurrence", "osteoblastic"),
    "BC16": ("primary", "osteoblastic"),
    "BC17": ("lung_metastasis", "chondroblastic"),
    "BC20": ("recurrence", "chondroblastic"),
    "BC21": ("primary", "intraosseous"),
    "BC22": ("primary", "chondroblastic"),
}
GSE162454 = {
    "OS_1": "GSM4952363",
    "OS_2": "GSM4952364",
    "OS_3": "GSM4952365",
    "OS_4": "GSM5155198",
    "OS_5": "GSM5155199",
    "OS_6": "GSM5155200",
}


def pack(members, *, mode):
    """A tar of these contents by name."""
    buffer = text_io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, text_io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def triplets(simulated):
    """Files of the simulated samples by role."""
    folder = simulated.run / "resources" / "simulated_os"
    found = []
    for name in SIMULATED:
        paths = {}
        for role, end in ROLES.items():
            flat = list(folder.glob(f"*_{name}_{role}.{end}"))
            paths[role] = flat[0] if flat else folder / name / f"{role}.{end}"
        found.append({role: path.read_bytes() for role, path in paths.items()})
    return found


def series(accession, name=""):
    folder = f"/ftp.ncbi.nlm.nih.gov/geo/series/{accession[:-3]}nnn/{accession}/suppl/"
    return folder + (name or f"{accession}_RAW.tar")


@pytest.fixture(scope="session")
def zhou(triplets):
    """GSE152048: one tar of a folder per patient, with what macOS leaves behind."""
    archives = {}
    for i, sample in enumerate(GSE152048):
        members = {f"{sample}/{r}.{ROLES[r]}": c for r, c in triplets[i % 7].items()}
        members[f"{sample}/._matrix.mtx.gz"] = b"\0\5\26\7"
        name = f"GSE152048_{sample}.matrix.tar.gz"
        archives[series("GSE152048", name)] = pack(members, mode="w:gz")
    return archives


@pytest.fixture(scope="session")
def liu(triplets):
    """GSE162454: flat triplets of all samples."""
    return {
        f"{gsm}_{sample}_{role}.{ROLES[role]}": content
        for i, (sample, gsm) in enumerate(GSE162454.items())
        for role, content in triplets[(i + 3) % 7].items()
    }


@pytest.fixture(scope="session")
def gtf(simulated):
    """Positions of the simulated genes, where GENCODE's are."""
    path = simulated.run / "resources" / "simulated_os" / "genes.gtf.gz"
    return {f"/{GENCODE.split('://')[1]}": path.read_bytes()}


def settings(project, server, datasets, **more):
    small = {key: project.small[key] for key in ("integration", "claims", "interactions")}
    retrieve = {"mirrors": server.mirrors(GEO, SCPCA, EBI), "backoff": 0.01, "timeout": 20}
    # a small resource: what is scored is not the point here
    small["interactions"] = {**small["interactions"], "resource": "kirouac2010"}
    small["quality_control"] = {"doublets_per_1000": 0}
    return {**small, "datasets": datasets, "retrieve": retrieve, **more}


@pytest.fixture
def public(project, simulated):
    project.small = simulated.small
    return project


def addresses(text):
    return sorted(re.findall(r"Download (https?://\S+) to resources/", text))


def test_a_dry_run_lists_every_address(project):
    text = project.snakemake("-n", config={}, overlay="osteosarcoma.yaml")
    geo = "https://ftp.ncbi.nlm.nih.gov/geo/series/"
    wanted = [
        f"{geo}GSE152nnn/GSE152048/suppl/GSE152048_{sample}.matrix.tar.gz" for sample in GSE152048
    ]
    wanted += [f"{geo}GSE162nnn/GSE162454/suppl/GSE162454_RAW.tar", GENCODE, GENCODE]
    assert addresses(text) == sorted(wanted)
    config = {"datasets": ["gse270231", "gse252470", "gse169396"]}
    found = addresses(project.snakemake("-n", config=config, overlay="osteosarcoma.yaml"))
    assert found[:2] == [GENCODE, GENCODE]  # not for dogs
    assert found[2:5] == [
        f"{geo}GSE169nnn/GSE169396/suppl/GSE169396_RAW.tar",
        f"{geo}GSE252nnn/GSE252470/suppl/GSE252470_RAW.tar",
        f"{geo}GSE270nnn/GSE270231/suppl/GSE270231_RAW.tar",
    ]
    assert found[5].startswith("https://www.ensembl.org/biomart/martservice?query=")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory, repository, simulated, loopback, zhou, liu, gtf):
    """Both cohorts of the overlay, run to the report over a bad connection."""
    project = type(simulated)(tmp_path_factory.mktemp("public"), repository)
    project.small = simulated.small
    files = {**zhou, series("GSE162454"): pack(liu, mode="w"), **gtf}
    with loopback.serve(files) as server:
        first, second = list(zhou)[:2]
        server.script(first, loopback.cut(5000))
        server.script(second, loopback.status(503))
        config = settings(project, server, ["gse152048", "gse162454"])
        project.snakemake(config=config, overlay="osteosarcoma.yaml")
        project.requests = list(server.requests)
        project.server, project.config = server, config
        yield project


def test_the_overlay_runs_to_a_report(analysed, zhou, gtf):
    results = analysed.run / "results"
    for dataset, sheet in (("gse152048", GSE152048), ("gse162454", GSE162454)):
        obs = ad.read_h5ad(results / dataset / "annotated.h5ad").obs
        assert set(obs["sample"]) == set(sheet)
        assert obs["patient"].nunique() == len(sheet)
        manifest = pd.read_csv(analysed.run / "resources" / dataset / "manifest.tsv", sep="\t")
        assert manifest["sha256"].str.fullmatch("[0-9a-f]{64}").all()
        assert manifest["url"].str.startswith((GEO, EBI)).all()
    obs = ad.read_h5ad(results / "gse152048" / "annotated.h5ad").obs
    for sample, (condition, _) in GSE152048.items():
        assert set(obs.loc[obs["sample"] == sample, "condition"]) == {condition}
    assert len(io.read_tsv(results / "claims" / "verdicts.tsv", table="verdicts")) == 101
    provenance = json.loads((results / "provenance.json").read_text())
    assert provenance["accessions"] == {"gse152048": "GSE152048", "gse162454": "GSE162454"}
    assert {row["url"] for row in provenance["files"] if row["role"] == "gtf"} == {GENCODE}
    assert all(row["url"].startswith((GEO, EBI)) for row in provenance["files"])
    assert all(row["retrieved_at"] for row in provenance["files"])
    # one download serves both cohorts, and their tumour cells can be told by copy number
    assert len([seen for seen in analysed.requests if seen.path == next(iter(gtf))]) == 1
    assert set(obs["malignant"]) >= {"yes", "no"}
    resumed = [seen for seen in analysed.requests if seen.path == next(iter(zhou))]
    assert [seen.headers.get("Range") for seen in resumed] == [None, "bytes=5000-"]


def test_the_report_tells_conditions_sites_and_what_is_confounded(analysed):
    folder = analysed.run / "results" / "report"
    with (folder / "assets" / "gse152048_sheet.tsv").open() as stream:
        sheet = {row["sample"]: row for row in csv.DictReader(stream, delimiter="\t")}
    for sample, (condition, histology) in GSE152048.items():
        assert sheet[sample]["condition"] == condition
        assert sheet[sample]["histology"] == histology
    assert {name for name, row in sheet.items() if row["site"] == "lung"} == {"BC10", "BC17"}
    page = (folder / "gse152048.html").read_text()
    for word in ("lung_metastasis", "recurrence", "chondroblastic", "intraosseous", "anti-PD-L1"):
        assert word in page
    assert "Facts of 2 samples are inferred (INF)" in page
    index = (folder / "index.html").read_text()
    assert "GSE152048" in index
    assert "GSE162454" in index
    assert "treatment and cohort cannot be told apart" in index
    assert "SIMULATED DATA" not in index


def test_nothing_is_downloaded_twice(analysed):
    before = len(analysed.server.requests)
    run = {"config": analysed.config, "overlay": "osteosarcoma.yaml"}
    assert "Nothing to be done" in analysed.snakemake(**run)
    # A line moved, a note edited, a longer time-out: no reason to compute a cohort again.
    files, sheet = (analysed.copy / "config" / f"{n}.tsv" for n in ("files", "samples"))
    files.write_text("# a comment\n" + files.read_text())
    sheet.write_text(sheet.read_text().replace("Histology INF", "The histology is INF"))
    slower = {**analysed.config["retrieve"], "timeout": 30}
    text = analysed.snakemake(
        "-n",
        config={**analysed.config, "retrieve": slower},
        overlay="osteosarcoma.yaml",
    )
    assert "download_file" not in text
    assert "ingest_sample" not in text
    lost = analysed.run / "resources" / "gse152048" / "GSE152048_BC5.matrix.tar.gz"
    content = lost.read_bytes()
    lost.unlink()
    analysed.snakemake(str(lost.relative_to(analysed.run)), **run)
    assert lost.read_bytes() == content
    assert len(analysed.server.requests) == before


def test_a_later_download_that_differs_is_refused(analysed):
    """The file and the cache are gone, and the archive has another file by now."""
    folder = analysed.run / "resources" / "gse162454"
    manifest = pd.read_csv(folder / "manifest.tsv", sep="\t").set_index("file")
    old = manifest.loc["GSE162454_RAW.tar", "sha256"]
    path = series("GSE162454")
    good = analysed.server.find(path)
    analysed.server.put(path, good + b"\0" * 10240)
    (folder / "GSE162454_RAW.tar").unlink()
    shutil.rmtree(analysed.run / "resources" / "cache")
    run = {"config": analysed.config, "overlay": "osteosarcoma.yaml"}
    target = "resources/gse162454/GSE162454_RAW.tar"
    text = analysed.snakemake(target, **run, fails=True)
    assert old in text
    assert len(set(re.findall(r"\b[0-9a-f]{64}\b", text))) == 2
    assert "config/files.tsv line " in text
    assert not (folder / "GSE162454_RAW.tar").exists()
    analysed.server.put(path, good)
    analysed.snakemake(target, **run)
    manifest = pd.read_csv(folder / "manifest.tsv", sep="\t").set_index("file")
    assert manifest.loc["GSE162454_RAW.tar", "sha256"] == old


def test_archive_and_sheet_must_agree(public, loopback, liu):
    other = {n.replace("GSM5155200_OS_6", "GSM9_OS_7"): c for n, c in liu.items()}
    with loopback.serve({series("GSE162454"): pack(other, mode="w")}) as server:
        run = {"config": settings(public, server, ["gse162454"])}
        target = "resources/gse162454/members.tsv"
        text = public.snakemake(target, **run, fails=True)
        assert "OS_6" in text
        assert "GSM9_OS_7" in text
        assert "retired" in text
        broken = {n: c for n, c in liu.items() if n != "GSM4952364_OS_2_features.tsv.gz"}
        server.put(series("GSE162454"), pack(broken, mode="w"))
        for name in ("resources", ".snakemake"):
            shutil.rmtree(public.run / name)
        text = public.snakemake(target, **run, fails=True)
        assert "GSM4952364_OS_2" in text
        assert "features" in text
        assert not (public.run / target).exists()


def test_a_cohort_of_ones_own_tables_without_rows_of_samples(public, loopback, liu):
    """Selected, without samples: they can be listed; anything else says how."""
    folder, url = public.run, "https:/" + series("GSE000000")
    (folder / "my_datasets.tsv").write_text("dataset\ttitle\tsource\nmine\tMine\tpublic\n")
    (folder / "my_samples.tsv").write_text("dataset\tsample\tpatient\tcondition\n")
    (folder / "my_files.tsv").write_text(
        f"dataset\tsample\trole\tpath\turl\nmine\t\tarchive\tresources/mine/RAW.tar\t{url}\n"
    )
    with loopback.serve({series("GSE000000"): pack(liu, mode="w")}) as server:
        config = settings(public, server, ["mine"])
        config["tables"] = {n: f"my_{n}.tsv" for n in ("datasets", "samples", "files")}
        text = public.snakemake("-n", config=config, fails=True)
        assert "dataset 'mine' has no row in the table of samples" in text
        assert "snakemake --cores 1 resources/mine/samples_found.tsv" in text
        public.snakemake("resources/mine/samples_found.tsv", config=config)
    found = io.read_tsv(folder / "resources/mine/samples_found.tsv", table="samples_found")
    assert found["sample"].tolist() == list(GSE162454)
    assert found["accession"].tolist() == list(GSE162454.values())


def test_a_web_page_or_a_missing_file_is_refused_and_a_rerun_completes(public, loopback, liu):
    path = series("GSE162454")
    with loopback.serve({path: pack(liu, mode="w")}) as server:
        run = {"config": settings(public, server, ["gse162454"])}
        target = "resources/gse162454/GSE162454_RAW.tar"
        server.script(path, loopback.page("GEO is down"), loopback.status(404))
        assert "GEO is down" in public.snakemake(target, **run, fails=True)
        assert not (public.run / target).exists()
        text = public.snakemake(target, **run, fails=True)
        assert "404" in text
        assert "config/files.tsv line " in text
        public.snakemake(target, **run)
        assert (public.run / target).read_bytes() == server.find(path)


@pytest.fixture(scope="session")
def scpca_archive(triplets, tmp_path_factory, repository):
    """A project of the portal: ids as names, counts in raw.X, metadata beside it."""
    from osteotalk.ingest.gene_tables import read_symbols
    from osteotalk.ingest.sample import read_sample

    symbols = read_symbols(repository / "config" / "gene_symbols.tsv")
    folder = tmp_path_factory.mktemp("scpca")
    path = folder / "SCPCP000017.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i, sample in enumerate(("SCPCS000001", "SCPCS000002")):
            for role, content in triplets[i].items():
                (folder / f"{role}.{ROLES[role]}").write_bytes(content)
            files = {role: str(folder / f"{role}.{end}") for role, end in ROLES.items()}
            row = {"dataset": "d", "sample": sample, "patient": "P", "condition": "primary"}
            adata, _ = read_sample(files, sample_row=row, symbols=symbols)
            adata.var["gene_symbol"] = adata.var_names
            adata.var_names = [f"ENSG9{j:010d}" for j in range(adata.n_vars)]
            adata.X = adata.X.astype(np.float32)
            adata.raw = adata.copy()
            adata.X = adata.X.log1p()
            adata.obs["consensus_celltype_annotation"] = "T cell"
            adata.obs["scpca_filter"] = "Keep"
            del adata.uns["ingest"]
            adata.write_h5ad(folder / "x.h5ad")
            stem = f"{sample}/SCPCL00000{i + 1}"
            archive.write(folder / "x.h5ad", f"{stem}_processed_rna.h5ad")
            archive.writestr(f"{stem}_filtered_rna.h5ad", b"not read, because processed is there")
            archive.writestr(f"{stem}_qc.html", b"<html></html>")
        archive.writestr(
            "single-cell_metadata.tsv",
            "scpca_sample_id\tparticipant_id\tdisease_timing\ttissue_location\tis_xenograft\n"
            "SCPCS000001\tPT1\tInitial diagnosis\tFemur\tFALSE\n"
            "SCPCS000002\tPT2\tRecurrence\tLung\tTRUE\n",
        )
    return path


def test_a_project_of_the_scpca_portal(public, loopback, scpca_archive):
    """Samples found, sheet completed, one sample read; the token and the address stay secret."""
    api = "/api.scpca.alexslemonade.org/v1/ccdl-datasets/"
    listing = {"results": [{"id": "abc", "ccdl_name": "SINGLE_CELL_ANN_DATA", "computed_file": 1}]}
    token = "0f3c-SECRET-TOKEN"
    with loopback.serve({"/s3/file.zip": scpca_archive}) as server:
        signed = f"{server.url}/s3/file.zip?X-Signature=HIDDEN"
        server.put(api, json.dumps(listing).encode())
        server.put(f"{api}abc/", json.dumps({"download_url": signed}).encode())
        config = settings(public, server, ["simulated_os"])
        found = "resources/scpcp000017/samples_found.tsv"
        text = public.snakemake(found, config=config, fails=True)
        assert "SCPCA_TOKEN is not set" in text
        assert "curl -X POST" in text
        with_token = {"environment": {"SCPCA_TOKEN": token}}
        public.snakemake(found, config=config, **with_token)
        sheet = pd.read_csv(public.run / found, sep="\t", dtype=str, keep_default_na=False)
        assert sheet["sample"].tolist() == ["SCPCS000001", "SCPCS000002"]
        assert sheet["patient"].tolist() == ["PT1", "PT2"]
        assert sheet["condition"].tolist() == ["initial_diagnosis", "recurrence"]
        assert sheet["status"].tolist() == ["", "retired"]

        table = public.copy / "config" / "samples.tsv"
        header = table.read_text().splitlines()[0].split("\t")
        with table.open("a") as stream:
            for row in sheet.to_dict("records"):
                stream.write("\t".join(row[column] for column in header) + "\n")
        config["datasets"] = ["scpcp000017"]
        counts = "results/scpcp000017/samples/SCPCS000001/counts.h5ad"
        public.snakemake(counts, config=config, **with_token)
    adata = ad.read_h5ad(public.run / counts)
    assert adata.var_names.isin(["CXCL12", "CXCR4"]).sum() == 2
    assert adata.var["ensembl_id"].str.startswith("ENSG9").all()
    assert set(adata.obs["author_label"]) == {"T cell"}
    assert set(adata.obs["author_qc"]) == {"Keep"}
    for path in public.run.rglob("*"):
        if path.is_file() and path.suffix not in (".h5ad", ".zip"):
            content = path.read_bytes()
            assert b"SECRET" not in content, path
            assert b"HIDDEN" not in content, path


def test_without_a_token_the_run_stops_before_it_starts(project):
    table = project.copy / "config" / "samples.tsv"
    with table.open("a") as stream:
        stream.write("scpcp000018\tS\tP\tprimary" + "\t" * 13 + "\n")
    text = project.snakemake("-n", config={"datasets": ["scpcp000018"]}, fails=True)
    assert "SCPCA_TOKEN is not set" in text
    assert "Job stats" not in text
    assert "Traceback" not in text


def test_the_other_layouts_of_the_catalogue(public, loopback, triplets):
    """Nested tars, folders, dogs with orthologs, normal bone: each read to counts."""
    plain = {role: gzip.decompress(c) for role, c in triplets[0].items()}
    ends = {"barcodes": "tsv", "features": "tsv", "matrix": "mtx"}
    inner = pack({f"OSX/{r}.{ends[r]}": c for r, c in plain.items()}, mode="w:gz")
    normal = {
        f"GSM520188{i + 2}_S{i}_{r}.{ROLES[r]}": c
        for i in range(1, 5)
        for r, c in triplets[i].items()
    }
    lung = {
        f"GSM833{i}_{name}/filtered_feature_bc_matrix/{r}.{ROLES[r]}": c
        for i, name in enumerate(["S0058", "S0059", "S0217", "S0218", "SC069", "SC072", "SC073"])
        for r, c in triplets[i].items()
    }
    dogs = {
        f"GSM800{1766 + i}_old{i}_{r}.{ROLES[r]}": c
        for i in range(8)
        for r, c in triplets[i % 7].items()
    }
    files = {
        series("GSE198896"): pack({"GSM1_OSX.tar.gz": inner, "GSM2_OSY.tar.gz": inner}, mode="w"),
        series("GSE169396"): pack(normal, mode="w"),
        series("GSE270231"): pack(lung, mode="w"),
        series("GSE252470"): pack(dogs, mode="w"),
    }
    genes = [line.split("\t")[1] for line in plain["features"].decode().splitlines()]
    biomart = "Gene stable ID\tGene name\tHuman gene name\tHuman homology type\n"
    biomart += "".join(
        f"ENSCAFG{i:011d}\t{g}\t{g}\tortholog_one2one\n" for i, g in enumerate(genes[5:])
    )
    files["/www.ensembl.org/biomart/martservice"] = f"{biomart}[success]\n".encode()
    counts = {
        "gse169396": "S3",
        "gse270231": "SC072",
        "gse252470": "GSM8001770",
    }
    with loopback.serve(files) as server:
        config = settings(public, server, list(counts))
        config["retrieve"]["mirrors"] |= server.mirrors("https://www.ensembl.org/")
        targets = [f"results/{d}/samples/{s}/counts.h5ad" for d, s in counts.items()]
        public.snakemake(*targets, "resources/gse198896/samples_found.tsv", config=config)
    sheet = io.read_tsv(
        public.run / "resources" / "gse198896" / "samples_found.tsv", table="samples_found"
    )
    assert sheet["accession"].tolist() == ["GSM1", "GSM2"]
    assert (sheet[["patient", "condition"]] == "").all(axis=None)
    for dataset, sample in counts.items():
        adata = ad.read_h5ad(public.run / f"results/{dataset}/samples/{sample}/counts.h5ad")
        assert set(adata.obs["sample"]) == {sample}
        assert adata.n_vars == len(set(genes)) - 5 * (dataset == "gse252470")
    report = json.loads(
        (public.run / "results/gse252470/samples/GSM8001770/ingest.json").read_text()
    )
    assert sorted(report["genes"]["no_ortholog"]) == sorted(genes[:5])
