"""How the report of a sample tells that it could not be read and is left out."""

from collections.abc import Iterable, Mapping
from typing import Any

KEY = "unreadable"  # the reason


def analysed(reports: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those of the reports of samples, from ingest or quality control, that were not left out."""
    return [
        dict(report)
        for report in reports
        if KEY not in report and KEY not in report.get("ingest", {})
    ]
