"""The HTML report.

`assemble` builds it from result files: pages (`pages`) of sections (`sections`, listed in
`registry`), which draw (`figures`), tabulate (`tables`) and speak (`words`). `render` turns the
pages into text, and `write_report` puts the text on disk (`html`).
"""

from osteotalk.report.build import assemble, build_report
from osteotalk.report.html.render import render
from osteotalk.report.html.write import write_figures, write_report
from osteotalk.report.inputs import Cohort, ConfigTables, Overall, Run, read_overall
from osteotalk.report.model import Column, Figure, Page, Report, Section, Table

__all__ = [
    "Cohort",
    "Column",
    "ConfigTables",
    "Figure",
    "Overall",
    "Page",
    "Report",
    "Run",
    "Section",
    "Table",
    "assemble",
    "build_report",
    "read_overall",
    "render",
    "write_figures",
    "write_report",
]
