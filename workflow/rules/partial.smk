"""The files behind each cohort and the jobs that make them, for the report of a part of the run.

Needs    config, tables
Makes    nothing
"""

import hashlib


def in_order(dataset):
    """Results of a cohort by step; a step starts when those before have ended."""
    files = results_of_cohort(dataset)
    last = ("support", "network", "evidence", "truth", "decoys", "values", "statistics")
    variants = [
        f"results/{dataset}/sensitivity/{setting}/{value}.tsv"
        for cohort, setting, value in VARIANTS
        if cohort == dataset and config["sensitivity"]["run"]
    ]

    def of_samples(name):
        pattern = f"results/{dataset}/samples/{{}}/{name}"
        return [pattern.format(row["sample"]) for row in records("samples", dataset)]

    return [
        of_samples("counts.h5ad") + of_samples("filtered.h5ad"),
        [f"results/{dataset}/integrated.h5ad"],
        files["annotated"],
        of_samples("interactions.parquet"),
        [path for name in (*last, "published", "calibration") for path in files[name]]
        + variants,
    ]


def job_of(path):
    """Rule, log and sample (or file) of the job that makes a file; nothing if none does."""
    # Where this is a module, the rules of the outer workflow are among them, maybe without a log.
    for made_by in workflow.rules:
        if made_by.log and made_by.is_producer(path):
            found = made_by.get_wildcards(path)
            return {
                "rule": made_by.name,
                "log": str(made_by.log[0].apply_wildcards(found)),
                "of": " ".join(v for name, v in found.items() if name != "dataset"),
            }
    return {}


def products_of_cohort(dataset):
    """All files behind a cohort's part of the report, each with the job that makes it.

    Downloads and what is listed of them may be gone once they have been read.
    """
    step_of = {
        path: n for n, paths in enumerate(in_order(dataset), 1) for path in paths
    }
    brought = sorted({row["path"] for row in files_of_cohort(dataset)})
    gone = {*REMOTE, f"resources/{dataset}/members.tsv"}
    paths = [
        *brought,
        *([f"resources/{dataset}/members.tsv"] if dataset in DOWNLOADED else []),
        *("results/resource.tsv", "results/resource.json"),
        *step_of,
        *(path for paths in results_of_cohort(dataset).values() for path in paths),
    ]
    return [
        {
            "path": path,
            **job_of(path),
            "step": step_of.get(path, 0),
            "needed": path not in gone,
        }
        for path in dict.fromkeys(paths)
    ]


def products(wildcards):
    return {dataset: products_of_cohort(dataset) for dataset in DATASETS}


def state_of_products(wildcards):
    """Which of these files and their logs are there, and since when, as a digest."""
    digest = hashlib.sha256()
    for product in sum(products(wildcards).values(), []):
        for path in (product["path"], product.get("log", "")):
            since = Path(path).stat().st_mtime_ns if Path(path).is_file() else 0
            digest.update(f"{path} {since}\n".encode())
    return digest.hexdigest()[:16]


def failed_jobs():
    """Jobs of this run that failed, those of groups one by one."""
    failed = getattr(workflow.scheduler, "failed", ())
    jobs = [each for job in failed for each in (job.jobs if job.is_group() else [job])]
    return [
        osteotalk_workflow.failed_job(job.rule.name, job.wildcards_dict, list(job.log))
        for job in jobs
    ]


def hint_of_partial_report():
    """Say what can be reported after jobs have failed, if there are other cohorts."""
    if len(DATASETS) == 1 or any("partial_report" in word for word in sys.argv):
        return ""
    given = [str(path) for path in workflow.overwrite_configfiles]
    option = ["--configfile", *given] if given else []
    command = " ".join(["snakemake --cores 1 partial_report", *option])
    return f"Some jobs failed. A report of the cohorts that are complete: {command}\n"
