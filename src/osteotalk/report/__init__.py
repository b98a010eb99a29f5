"""The HTML report: what it says (model), how it is drawn (figures), how it is written (render).

A cohort's page is built from loaded tables by `build_dataset_page`, all other pages by
`build_report`; `render` turns the pages into text, and `write_report` puts the text on disk.
"""

from osteotalk.report.build import CohortParts, ConfigTables, Overall, build_report
from osteotalk.report.html.render import render
from osteotalk.report.html.write import write_figures, write_report
from osteotalk.report.model import Column, Figure, Page, Report, Section, Table
from osteotalk.report.pages.cohort import build_dataset_page
from osteotalk.report.tables.cohort import cohort_summary_row

__all__ = [
    "CohortParts",
    "Column",
    "ConfigTables",
    "Figure",
    "Overall",
    "Page",
    "Report",
    "Section",
    "Table",
    "build_dataset_page",
    "build_report",
    "cohort_summary_row",
    "render",
    "write_figures",
    "write_report",
]
