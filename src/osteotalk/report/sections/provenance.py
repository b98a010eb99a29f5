"""The provenance block: versions, digests, seeds and files behind a report."""

import json
from collections.abc import Mapping

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.text import words


def section(run: Run) -> Section:
    """The section of the page on versions, settings, files and run times."""
    provenance, timings = run.overall.provenance, run.overall.timings
    packages = provenance.get("packages")
    packages = packages if isinstance(packages, Mapping) else {}
    versions = pd.DataFrame(
        [(str(name), words(packages[name])) for name in sorted(packages)],
        columns=["package", "version"],
    )
    told = [("positions of genes", text) for text in run.origins]
    facts = pd.DataFrame([*_facts(provenance), *told], columns=["fact", "value"])
    return Section(
        anchor="provenance",
        title="Provenance",
        question="From what exactly was this report made?",
        tables=(
            Table(
                "table-provenance",
                facts,
                "Versions, digests and seeds.",
                (
                    Column("fact", "What"),
                    Column("value", "Value", "code", missing="not recorded"),
                ),
                download="assets/provenance.tsv",
            ),
            Table(
                "table-packages",
                versions,
                "Versions of the packages used.",
                (Column("package", "Package"), Column("version", "Version", "code")),
                download="assets/packages.tsv",
                collapsed=True,
            ),
            _file_table(provenance.get("files")),
            *([_timing_table(timings)] if timings is not None and len(timings) else []),
        ),
        verbatim=(
            (
                "Merged configuration",
                json.dumps(run.parameters, indent=2, ensure_ascii=False, default=str),
            ),
        ),
    )


def _file_table(listed: object) -> Table:
    files = pd.DataFrame(
        listed if isinstance(listed, list) else [],
        columns=["dataset", "sample", "role", "path", "bytes", "sha256", "url", "retrieved_at"],
    )
    return Table(
        "table-files",
        files,
        "Input files with their checksums.",
        (
            Column("dataset", "Cohort"),
            Column("sample", "Sample", "code", missing="whole cohort"),
            Column("role", "Role"),
            Column("path", "File", "code"),
            Column("bytes", "Bytes", "integer", missing="not recorded"),
            Column("sha256", "sha256", "code", missing="not recorded"),
            Column("url", "Downloaded from", "code", missing="not downloaded"),
            Column("retrieved_at", "On", missing="not downloaded"),
        ),
        download="assets/files.tsv",
        collapsed=True,
    )


def _timing_table(timings: pd.DataFrame) -> Table:
    return Table(
        "table-timings",
        timings,
        "Run times as Snakemake noted them, by step; jobs run side by side, so that the sum is "
        "more than the time waited. The report itself is not among them.",
        (
            Column("rule", "Step", "code"),
            Column("n_jobs", "Jobs", "integer"),
            Column("seconds", "Seconds in all", "number"),
            Column("longest", "Longest job, seconds", "number"),
            Column("max_rss", "Most memory, MB", "number", missing="not measured"),
        ),
        download="assets/timings.tsv",
        collapsed=True,
    )


def _more(resource: Mapping[str, object]) -> list[tuple[str, str]]:
    """Repeated and reversed pairs, and the digest of a file of pairs, where they are recorded."""
    turned = resource.get("reversed")
    turned = turned if isinstance(turned, list) else []
    found = [
        ("pairs repeated", words(resource.get("duplicates"))),
        ("pairs that are the reverse of another", str(len(turned)) if turned else ""),
        ("file of pairs, sha256", words(resource.get("file_sha256"))),
    ]
    return [(name, text) for name, text in found if text]


def _facts(provenance: Mapping[str, object]) -> list[tuple[str, str]]:
    resource = provenance.get("resource")
    seeds = provenance.get("seeds")
    resource = resource if isinstance(resource, Mapping) else {}
    seeds = seeds if isinstance(seeds, Mapping) else {}
    return [
        ("osteotalk", words(provenance.get("osteotalk"))),
        ("commit", words(provenance.get("commit"))),
        ("Python", words(provenance.get("python"))),
        ("resource of pairs", words(resource.get("name"))),
        ("pairs in it", words(resource.get("pairs"))),
        ("pairs added", words(resource.get("added"))),
        ("pairs dropped", words(resource.get("dropped"))),
        *_more(resource),
        ("resource sha256", words(resource.get("sha256"))),
        ("config sha256", words(provenance.get("config_sha256"))),
        *[(f"seed: {name}", words(value)) for name, value in seeds.items()],
    ]
