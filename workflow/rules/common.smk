"""Tables, checked once, and the few helpers that need the config.

Needs    config, tables named in it
Makes    nothing
"""

from osteotalk import workflow as osteotalk_workflow
from osteotalk.tables import sample_files

osteotalk_workflow.prepare_environment(workflow.basedir)
TABLES = osteotalk_workflow.load(config, workflow.basedir)
DATASETS = config["datasets"]
SIMULATED = TABLES.datasets.loc[
    TABLES.datasets["source"] == "simulated", "dataset"
].tolist()
SIMULATED_CHOSEN = [dataset for dataset in DATASETS if dataset in SIMULATED]


wildcard_constraints:
    dataset="|".join(map(re.escape, DATASETS)),
    sample="|".join(map(re.escape, TABLES.samples["sample"].unique())),


def code_digest(name):
    """Digest of the script of this name and of the package code it uses."""
    script = Path(workflow.basedir) / "workflow" / "scripts" / f"{name}.py"
    return osteotalk_workflow.code_digest(script)


def rows(name):
    """A table by columns; a param, so that an edit of the table reruns the rule."""
    return getattr(TABLES, name).to_dict("list")


def records(name, dataset):
    """Rows of one dataset in a table."""
    frame = getattr(TABLES, name)
    return frame[frame["dataset"] == dataset].to_dict("records")


def per_sample(pattern):
    return osteotalk_workflow.per_sample(TABLES, pattern)


def files_of_sample(wildcards):
    return sample_files(TABLES, wildcards.dataset, wildcards.sample)


def sample_row(wildcards):
    return osteotalk_workflow.row_of(
        TABLES.samples, dataset=wildcards.dataset, sample=wildcards.sample
    )


def dataset_row(wildcards):
    return osteotalk_workflow.row_of(TABLES.datasets, dataset=wildcards.dataset)


def verdict_rules():
    """Thresholds of the verdicts."""
    return {
        key: config["claims"][key]
        for key in ("min_patients", "min_support", "max_decoy_q")
    }
