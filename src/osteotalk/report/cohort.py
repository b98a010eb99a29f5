"""What the sections on the cells of a cohort share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.report.words.vocabulary import Vocabulary


@dataclass(frozen=True)
class Cohort:
    """An annotated cohort with what is needed to show it."""

    dataset: str
    samples: pd.DataFrame
    adata: AnnData
    palette: Vocabulary
    populations: pd.DataFrame
    parameters: Mapping[str, object]
    stamp: str

    @property
    def cells(self) -> pd.DataFrame:
        """Cells with their names."""
        return self.adata.obs

    @property
    def named(self) -> pd.Series:
        """Population of each cell, as text."""
        return self.adata.obs["population"].astype(str)

    def points(self, key: str = "X_umap") -> np.ndarray | None:
        """Coordinates of the cells on a map; None where there is none."""
        if key not in self.adata.obsm or self.adata.n_obs == 0:
            return None
        return np.asarray(self.adata.obsm[key], dtype=float)[:, :2]

    def noted(self, step: str) -> Mapping[str, Any]:
        """What a step noted with the cells; empty where it did not."""
        steps = self.adata.uns.get("osteotalk", {})
        return steps.get(step, {}) if isinstance(steps, Mapping) else {}

    def renamed(self) -> dict[tuple[str, str], int]:
        """Cells by the name that copy number changed and the one they got, most first."""
        noted = self.noted("malignancy").get("renamed", {})
        changes = sorted(noted.items(), key=lambda change: (-int(change[1]), change[0]))
        return {
            (before, after): int(size)
            for (before, _, after), size in ((key.partition(" to "), n) for key, n in changes)
        }

    def sample_titles(self) -> dict[str, str]:
        """Sample with its patient, in the order of the report."""
        return {
            str(row["sample"]): f"{row['sample']} ({row['patient']})"
            for row in self.samples.to_dict("records")
        }
