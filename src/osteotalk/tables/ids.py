"""Refuse ids that cannot name a file or a page, or that name one that is there already."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.tables.model import Tables

# Pages of the report and folders beside them: a cohort has a page of its own, <dataset>.html.
PAGES = ("index", "confidence", "methods", "provenance", "assets", "claims")
# Folders of results and resources that belong to no cohort.
FOLDERS = ("claims", "figures", "report", "partial_report", "cache")
# Names that Windows keeps for devices, with any ending; reports are sent to colleagues.
DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)))
)
LONGEST = 100  # letters; a name of a file has at most 255, and ours add to it


def check_ids(tables: Tables) -> dict[str, list[str]]:
    """Check the ids that name files: of datasets, samples and claims; problems by table name."""
    taken = dict.fromkeys(FOLDERS, "a folder of the results") | dict.fromkeys(
        PAGES, "a page of the report or a folder beside them"
    )
    return {
        "datasets": _problems(tables.datasets, "dataset", taken=taken),
        "samples": [
            problem
            for _, rows in tables.samples.groupby("dataset", sort=False)
            for problem in _problems(rows, "sample")
        ],
        "claims": _problems(tables.claims, "claim_id"),
    }


def _problems(
    rows: pd.DataFrame, column: str, *, taken: Mapping[str, str] | None = None
) -> list[str]:
    taken = taken or {}
    problems, first = [], dict[str, tuple[object, str]]()
    for line, name in rows[column].items():
        folded = str(name).lower()
        at, twin = first.setdefault(folded, (line, name))
        reasons = {
            f"is what {taken.get(folded)} is called": folded in taken,
            "is what Windows calls a device": folded.partition(".")[0] in DEVICES,
            "ends in '.', which Windows leaves out": folded.endswith("."),
            f"has {len(folded)} letters, and {LONGEST} are the most": len(folded) > LONGEST,
            f"differs from '{twin}' in line {at} only by capital letters": twin != name,
        }
        problems += [
            f"line {line}: {column} '{name}' names files, and {reason}; give it another id here "
            "and wherever it is named"
            for reason, holds in reasons.items()
            if holds
        ]
    return problems
