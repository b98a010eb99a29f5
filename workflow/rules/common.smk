"""Tables, checked once, and the few helpers that need the config.

Needs    config, tables named in it
Makes    nothing
"""

import time

from snakemake.exceptions import WorkflowError

from osteotalk import results as osteotalk_results
from osteotalk import workflow as osteotalk_workflow
from osteotalk.interactions.pairs.resource import resource_file
from osteotalk.tables import (
    SHARED,
    TableError,
    cohort_files,
    records_of,
    remote_files,
    sample_files,
    shared_positions,
    takes_shared_positions,
)

STARTED = time.time()
osteotalk_workflow.refuse_prefix(workflow.modifier.path_modifier)
osteotalk_workflow.prepare_environment()
TABLES = osteotalk_workflow.load(config)
DATASETS = config["datasets"]
SIMULATED = TABLES.datasets.loc[
    TABLES.datasets["source"] == "simulated", "dataset"
].tolist()
REAL = [dataset for dataset in DATASETS if dataset not in SIMULATED]
SYMBOLS = osteotalk_workflow.find_file(config["genes"]["symbols"])
try:
    PAIRS = resource_file(
        config["interactions"]["resource"],
        find=osteotalk_workflow.find_file,
    )  # None for a resource of LIANA
    POSITIONS = shared_positions(
        config["genes"]["positions"],
        sha256=config["genes"]["positions_sha256"],
        find=osteotalk_workflow.find_file,
    )  # None if the config names none
except TableError as error:
    raise WorkflowError(str(error)) from None
REMOTE = remote_files(TABLES) | (POSITIONS.downloads() if POSITIONS else {})
DOWNLOADED = sorted({row["dataset"] for row in REMOTE.values()})

if osteotalk_workflow.needs_token(TABLES, DATASETS):
    # asked for now, not when the download starts
    from osteotalk.retrieve import RetrieveError, scpca_token

    try:
        scpca_token()
    except RetrieveError as error:
        raise WorkflowError(str(error)) from None


def one_of(names):
    """Pattern of a wildcard that can only be one of these names."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    dataset=one_of(DATASETS),
    sample=one_of(TABLES.samples["sample"].unique()),
    setting="[a-z_]+",
    value="[A-Za-z0-9_.-]+",


def code_digest(name):
    """Digest of the script of this name and of the package code it uses, once it is asked for."""
    return lambda wildcards: osteotalk_workflow.code_digest(
        workflow.source_path(f"../scripts/{name}.py")
    )


def rows(name):
    """A table by columns; a param, so that an edit of the table reruns the rule."""
    return getattr(TABLES, name).to_dict("list")


def records(name, dataset):
    """Rows of one dataset in a table."""
    return records_of(getattr(TABLES, name), dataset)


def per_sample(pattern):
    return osteotalk_workflow.per_sample(TABLES, pattern)


def only(rows_of_table, *columns):
    """These columns of the rows: a param must not change with every note that is edited."""
    return [{column: row[column] for column in columns} for row in rows_of_table]


def remote_row(wildcards):
    row = REMOTE[f"resources/{wildcards.dataset}/{wildcards.file}"]
    return only([row], "url", "bytes", "sha256", "role", "source")[0]


def files_of_sample(wildcards):
    """Files of a sample by role, with the table of members if there is an archive."""
    files = sample_files(TABLES, wildcards.dataset, wildcards.sample)
    if "archive" in files:
        files["members"] = f"resources/{wildcards.dataset}/members.tsv"
    return files


def samples_in_file(wildcards):
    """How many samples lie in the file of counts of this one: 1 if it has a file of its own."""
    files = sample_files(TABLES, wildcards.dataset, wildcards.sample)
    own = {row["path"] for row in records("files", wildcards.dataset) if row["sample"]}
    counts = [
        path for role, path in files.items() if role in ("archive", "h5ad", "table")
    ]
    shared = [path for path in counts if path not in own]
    return len(records("samples", wildcards.dataset)) if shared else 1


def takes_shared(dataset):
    return POSITIONS is not None and takes_shared_positions(TABLES, dataset)


def shared_file(dataset):
    """File with the positions of genes that cohorts share, if the cohort uses one; else ''."""
    return POSITIONS.path if takes_shared(dataset) else ""


def packaged_positions(wildcards):
    """Package whose positions of genes the cohort uses; '' if it uses none."""
    packaged = takes_shared(wildcards.dataset) and not POSITIONS.path
    return config["genes"]["positions"] if packaged else ""


def opinions_of_cohort(wildcards):
    """Files that the annotation of a cohort can use: gene positions, and second opinions."""
    files = cohort_files(TABLES, wildcards.dataset)
    if shared := shared_file(wildcards.dataset):
        files["positions"] = shared
    for name in ("celltypist", "reference"):
        if config["annotation"][name]:
            files[name] = config["annotation"][name]
    return files


def files_of_cohort(dataset):
    """Rows of the table of files, and one for the file of positions that cohorts share, if used."""
    found = records("files", dataset)
    if shared := shared_file(dataset):
        row = {"dataset": dataset, "sample": "", "role": "gtf", "path": shared}
        found.append(row)
    return found


def manifests_of_cohort(dataset):
    """Records of the downloads that a cohort uses."""
    shared = {row["path"] for row in files_of_cohort(dataset)} & set(REMOTE)
    folders = sorted({REMOTE[path]["dataset"] for path in shared} | {dataset})
    return [f"resources/{name}/manifest.tsv" for name in folders if name in DOWNLOADED]


def annotation_rules():
    """Thresholds of the annotation."""
    files = ("celltypist", "reference", "reference_label")
    return {k: v for k, v in config["annotation"].items() if k not in files}


def scoring_rules():
    """Settings of the scoring itself; the number of shuffles only where p-values are drawn."""
    others = {"resource", "squidpy"}
    if config["interactions"]["null"] == "moments":
        others.add("n_perms")
    return {k: v for k, v in config["interactions"].items() if k not in others}


def sample_row(wildcards):
    """What ingest needs to know of a sample."""
    return _sample(
        wildcards,
        *("dataset", "sample", "patient", "condition", "accession", "sample_value"),
    )


def sample_values(wildcards):
    """What all samples of a dataset, also retired ones, are called in its files."""
    tables = (records(name, wildcards.dataset) for name in ("samples", "retired"))
    return [row["sample_value"] or row["sample"] for rows in tables for row in rows]


def sample_limits(wildcards):
    """What quality control needs to know of a sample."""
    return _sample(
        wildcards,
        *("dataset", "sample", "suspension"),
        *("min_counts", "min_genes", "max_pct_mito", "doublet_rate"),
    )


def _sample(wildcards, *columns):
    row = osteotalk_workflow.row_of(
        TABLES.samples, dataset=wildcards.dataset, sample=wildcards.sample
    )
    return only([row], *columns)[0]


def dataset_row(wildcards, *columns):
    row = osteotalk_workflow.row_of(TABLES.datasets, dataset=wildcards.dataset)
    return only([row], *columns)[0]


def verdict_rules():
    """Thresholds of the verdicts."""
    names = (
        *("min_patients", "min_support"),
        *("max_decoy_q", "max_direction_p", "max_population_p"),
    )
    return {key: config["claims"][key] for key in names}


def basis(wildcards):
    """What the evidence engine needs to know of a cohort, besides its files."""
    samples = records("samples", dataset=wildcards.dataset)
    return {
        "dataset": wildcards.dataset,
        "samples": [row["sample"] for row in samples],
        "tables": {
            name: rows(name) for name in ("populations", "markers", "signatures")
        },
        "scoring": scoring_rules(),
        "rules": verdict_rules(),
        "decoys": {key: config["claims"][key] for key in ("n_decoys", "decoy_pool")},
        "seed": config["seed"],
    }


def numbered(name):
    """A table with the lines of its file, for messages on its rows."""
    return getattr(TABLES, name).to_dict("split")


# Settings that the sensitivity of the verdicts is tested for, each with one other value.
VARIANTS = [
    (dataset, setting, str(value))
    for dataset in DATASETS
    for setting, values in config["sensitivity"].items()
    if setting != "run"
    for value in values
]


def variant_value(wildcards):
    """Value of a setting as the config has it, a number or a name."""
    values = config["sensitivity"][wildcards.setting]
    return {str(value): value for value in values}[wildcards.value]


def results_of_cohort(dataset):
    """Result files of one cohort, by name; see osteotalk.results."""
    without = set() if dataset in SIMULATED else {osteotalk_results.SIMULATED}
    without |= (
        set() if config["interactions"]["squidpy"] else {osteotalk_results.SQUIDPY}
    )
    samples = [row["sample"] for row in records("samples", dataset=dataset)]
    return osteotalk_results.cohort_paths(dataset, samples, without=without)


def every_result():
    """All results that the documentation names: an absent one is made again."""
    names = ["evidence", "verdicts", "published", "therapies", "calibration"]
    names += ["sensitivity"] if config["sensitivity"]["run"] else []
    return [
        "results/report",
        "results/provenance.json",
        "results/run_config.yaml",
        "results/resource.tsv",
        "results/resource.json",
        "results/claims/checked.json",
        *(f"results/claims/{name}.tsv" for name in names),
        *(
            path
            for dataset in DATASETS
            for paths in results_of_cohort(dataset).values()
            for path in paths
        ),
        *(f"results/{dataset}/programmes.tsv" for dataset in DATASETS),
        *(
            f"results/{dataset}/samples/{row['sample']}/{name}"
            for dataset in DATASETS
            for row in records("samples", dataset)
            for name in ("counts.h5ad", "interactions.parquet")
        ),
    ]


# Tables of the config that the report shows.
TABLES_OF_REPORT = (
    "datasets",
    "samples",
    "retired",
    "claims",
    "published",
    "signatures",
    "populations",
    "markers",
    "labels",
    "interactions",
    "routes",
)
