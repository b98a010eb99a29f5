"""The report from files on disk: the made-up run of the benchmark, small."""

from dataclasses import replace

import matplotlib as mpl
import pytest

from osteotalk.contract import ContractError
from osteotalk.report import ConfigTables, assemble, read_overall, render

SIZE = {
    "cohorts": 2, "samples": 8, "populations": 5, "edges": 2000, "cells": 60, "decoys": 20,
    "seed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def arguments(repository, tmp_path_factory):
    """Arguments of `assemble` for a made-up run of two cohorts."""
    folder = str(repository / "benchmarks")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        import report
        import report_run

        whole = report_run.tables_of(SIZE)
        claims = whole.claims.groupby(["kind", "contrast"], sort=False).head(2)
        tables = replace(whole, claims=claims, therapies=whole.therapies.iloc[:0])
        patched.setattr(report_run, "tables_of", lambda size: tables)
        results = tmp_path_factory.mktemp("run") / "results"
        report_run.draw(results, SIZE)
    names = report_run.cohort_names(SIZE)
    fields = {name: getattr(tables, name) for name in ConfigTables.__dataclass_fields__}
    cohorts, overall = report.files_of(results, names)
    return {
        "files": cohorts,
        "overall": read_overall(overall),
        "tables": ConfigTables(**fields),
        "parameters": report_run.config_of(names),
    }


def test_number_of_processes_and_settings_of_matplotlib_change_no_byte(arguments):
    together = render(assemble(**arguments, jobs=2))
    with mpl.rc_context(
        {"font.size": 30, "figure.dpi": 37, "grid.color": "red", "axes.grid": True}
    ):
        alone = render(assemble(**arguments, jobs=1))
    assert [name for name in alone if alone[name] != together.get(name)] == []
    assert list(alone) == list(together)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_table_that_lacks_a_column_is_named(arguments, tmp_path, jobs):
    broken = tmp_path / "values.tsv"
    broken.write_text("claim_id\tdataset\nC001\tcohort_02\n")
    second = arguments["files"]["cohort_02"] | {"values": [str(broken)]}
    files = arguments["files"] | {"cohort_02": second}
    with pytest.raises(ContractError, match="values.tsv"):
        assemble(**arguments | {"files": files}, jobs=jobs)
