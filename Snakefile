"""osteotalk: statements about osteosarcoma's cell-cell interactions, tested on public cohorts.

Contents page. Each file under workflow/rules says what it needs and what it makes.
Run `snakemake --cores 2`; the result is results/report/index.html.
"""

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.9.0")


configfile: Path(workflow.basedir) / "config" / "config.yaml"


sys.path.insert(0, str(Path(workflow.basedir) / "src"))


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


rule all:
    """Everything: the report and all results behind it, so that one that is gone is made again."""
    input:
        every_result(),


include: "workflow/rules/retrieve.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/annotate.smk"
include: "workflow/rules/interactions.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/partial.smk"
include: "workflow/rules/report.smk"


onerror:
    osteotalk_workflow.tell_failures(
        failed_jobs(), hint=hint_of_partial_report(), since=STARTED
    )
