"""The HTML report: what it says (model), how it is drawn (figures), how it is written (render).

A page is built from loaded tables by `build_index_page` and `build_dataset_page`, `render` turns
the pages into text, and `write_report` puts the text on disk.
"""

from osteotalk.report.cohort_tables import cohort_summary_row
from osteotalk.report.dataset_page import build_dataset_page
from osteotalk.report.index_page import build_index_page
from osteotalk.report.model import Column, Figure, Page, Report, Section, Table
from osteotalk.report.render import render
from osteotalk.report.write import write_report

__all__ = [
    "Column",
    "Figure",
    "Page",
    "Report",
    "Section",
    "Table",
    "build_dataset_page",
    "build_index_page",
    "cohort_summary_row",
    "render",
    "write_report",
]
