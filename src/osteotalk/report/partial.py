"""A report for part of a run: which cohorts are complete, and why the others are not.

Nothing is run or repaired here; what is on disk is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from osteotalk import io
from osteotalk.claims.together.moved import compare_files
from osteotalk.claims.together.over_cohorts import combine_cohorts, write_combined
from osteotalk.failures import KILLED, MOST_JOBS, failure
from osteotalk.provenance import describe_run
from osteotalk.retrieve import downloads

# Snakemake compares files up to this size by their content, larger ones by their time.
_BY_CONTENT = 1_000_000


class PartialError(ValueError):
    """There is nothing to make a report of a part of the run from."""


@dataclass(frozen=True)
class Product:
    """A file of a cohort, and the job that makes it.

    Attributes
    ----------
    path
        Where the file is, or should be.
    rule, log, of
        The job that makes it: its rule, its log and its sample or file; '' where there is none.
    step
        Steps of a cohort are numbered from 1 in the order they run; each starts when those before
        have ended, so none of its files is older than theirs. 0 for files that are not compared.
    needed
        Whether the cohort is incomplete without the file. A download that was read and deleted is
        not needed, but if something else is missing, its log may say why.
    """

    path: str
    rule: str = ""
    log: str = ""
    of: str = ""
    step: int = 0
    needed: bool = True


def missing_cohorts(
    products: Mapping[str, Sequence[Mapping[str, Any]]],
    results: Mapping[str, Mapping[str, Sequence[str]]],
    claims: pd.DataFrame,
) -> dict[str, str]:
    """Cohorts that cannot be reported, with the reason.

    Parameters
    ----------
    products
        Fields of `Product` of each file of each cohort.
    results
        Files of each cohort by name; `evidence` is its table of evidence.
    claims
        Table of claims of this run: the evidence must be on the same.

    Returns
    -------
    Reason by cohort, in the order of `products`; complete cohorts are left out.
    """
    reasons = {
        dataset: missing_reason([Product(**fields) for fields in listed])
        or _other_claims(results[dataset]["evidence"][0], claims["claim_id"])
        for dataset, listed in products.items()
    }
    return {dataset: reason for dataset, reason in reasons.items() if reason}


def complete_cohorts(chosen: Iterable[str], missing: Mapping[str, str]) -> list[str]:
    """Cohorts that can be reported, in the given order.

    Raises
    ------
    PartialError
        If no cohort is complete, with all reasons; or if all are, as the report is then no part.
    """
    complete = [dataset for dataset in chosen if dataset not in missing]
    if not complete:
        reasons = "\n".join(f"- {dataset}: {reason}" for dataset, reason in missing.items())
        msg = f"no cohort of this run is complete, so there is nothing to report:\n{reasons}"
        raise PartialError(msg)
    if not missing:
        msg = (
            f"the results of all cohorts of this run ({', '.join(complete)}) are there, so a "
            "report of a part is not needed: run snakemake without partial_report"
        )
        raise PartialError(msg)
    return complete


def missing_reason(products: Sequence[Product]) -> str:
    """Why a cohort cannot be reported; '' if it can.

    The reason is the error of the job that failed last, told by its log. A log counts only while
    the file that its job makes is not there: an error that has been put right is none.
    """
    absent = [product for product in products if not Path(product.path).exists()]
    needed = [product.path for product in absent if product.needed]
    if not needed:
        return _outdated(products)
    failed = _failed_jobs(absent)
    if failed:
        return _failure_words(failed)
    others = f", and {len(needed) - 1} more files" if len(needed) > 1 else ""
    others = others.replace(" 1 more files", " 1 more file")
    verb = "are" if len(needed) > 1 else "is"
    return f"not run to its end: {needed[0]}{others} {verb} not there"


def _failed_jobs(absent: Sequence[Product]) -> list[tuple[Product, str]]:
    """Jobs whose file is absent and whose log ends in an error, the newest first."""
    by_log = {product.log: product for product in absent if product.log}
    found = [(product, failure(log)) for log, product in by_log.items()]
    told = [(product, error) for product, error in found if error]
    return sorted(told, key=lambda job: (-Path(job[0].log).stat().st_mtime_ns, job[0].log))


def _failure_words(failed: Sequence[tuple[Product, str]]) -> str:
    (newest, error), *others = failed
    joint = " " if error == KILLED else " failed: "
    words = f"{_job(newest)}{joint}{error}\n(log: {newest.log})"
    if others:
        named = ", ".join(_job(product) for product, _ in others[:MOST_JOBS])
        rest = f" and {len(others) - MOST_JOBS} more" if len(others) > MOST_JOBS else ""
        words += f"\nFailed as well: {named}{rest}"
    return words


def _job(product: Product) -> str:
    return f"{product.rule} of {product.of}" if product.of else product.rule


def _outdated(products: Sequence[Product]) -> str:
    """Say which file is older than one that it is made from; '' if none is.

    Snakemake would make it again, so a run that stopped has not come to it.
    """
    newest: tuple[int, str] = (0, "")
    for step in sorted({product.step for product in products if product.step}):
        found = [
            (product.path, Path(product.path).stat())
            for product in products
            if product.step == step and Path(product.path).exists()
        ]
        for path, state in found:
            if state.st_mtime_ns < newest[0]:
                return (
                    f"not run to its end: {path} is older than {newest[1]}, which it is made from"
                )
        large = [(s.st_mtime_ns, path) for path, s in found if s.st_size > _BY_CONTENT]
        newest = max([newest, *large])
    return ""


def _other_claims(evidence: str, claims: Iterable[str]) -> str:
    """Say that evidence is on other claims than those of the run; '' if it is not."""
    column = pd.read_csv(evidence, sep="\t", usecols=["claim_id"], dtype=str)["claim_id"]
    odd = sorted(set(column) ^ set(claims))
    if not odd:
        return ""
    named = ", ".join(odd[:MOST_JOBS]) + (", …" if len(odd) > MOST_JOBS else "")
    return (
        f"not run to its end: {evidence} is on other claims than the table of claims now has "
        f"({len(odd)} differ: {named})"
    )


def write_tables(
    results: Mapping[str, Mapping[str, Sequence[str]]],
    out: Mapping[str, str],
    *,
    tables: Mapping[str, pd.DataFrame],
    rules: Mapping[str, Any],
    variants: Sequence[Sequence[str]],
) -> None:
    """Combine what the complete cohorts say, and write the tables over cohorts.

    Parameters
    ----------
    results
        Result files of the complete cohorts, see `osteotalk.results`.
    out
        Where to write evidence, verdicts, published, therapies, calibration and sensitivity.
    tables
        Tables of the config: datasets, claims, published and therapies.
    rules
        Thresholds of the verdicts.
    variants
        Dataset, setting, value and evidence of each other setting that was tested; without any the
        table sensitivity is empty.
    """
    names = ("datasets", "claims", "published", "therapies")
    of = {
        name: [paths[name][0] for paths in results.values()]
        for name in ("evidence", "published", "calibration")
    }
    combined = combine_cohorts(
        list(results),
        {
            "claims": of["evidence"],
            "published": of["published"],
            "calibration": of["calibration"],
        },
        rules=rules,
        **{name: tables[name] for name in names},
    )
    write_combined(combined, out)
    baseline = dict(zip(results, of["evidence"], strict=True))
    changed = {(d, name, value): path for d, name, value, path in variants if d in baseline}
    io.write_tsv(compare_files(baseline, changed), out["sensitivity"], table="sensitivity")


def describe_part(
    cohorts: Sequence[str],
    *,
    config: Mapping[str, Any],
    files: Sequence[Mapping[str, str]],
    datasets: Sequence[Mapping[str, str]],
    manifests: Mapping[str, Sequence[str]],
    left_out: Mapping[str, str],
    resource: str,
    basedir: str,
) -> dict[str, Any]:
    """Describe the run with the input files of some cohorts, see `osteotalk.provenance`.

    Parameters
    ----------
    cohorts
        The complete cohorts.
    config, files, datasets, basedir
        As in `osteotalk.provenance.describe_run`, of all cohorts of the run.
    manifests
        Manifests of the downloads of each cohort.
    left_out
        File of the samples that were left out, of each cohort.
    resource
        File that describes the resource.
    """
    own = [row for row in files if row["dataset"] in cohorts]
    return describe_run(
        config=config,
        files=own,
        datasets=[row for row in datasets if row["dataset"] in cohorts],
        downloads=downloads(
            sorted({path for dataset in cohorts for path in manifests[dataset]}),
            {row["path"] for row in own},
        ),
        resource=io.read_json(resource),
        basedir=basedir,
        left_out=[
            row for dataset in cohorts for row in io.read_json(left_out[dataset])["left_out"]
        ],
    )
