"""A small made-up cohort with everything a report reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anndata as ad
import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from osteotalk.contract import TABLES, empty_frame
from osteotalk.report import (
    Cohort,
    ConfigTables,
    Overall,
    Page,
    Report,
    Run,
    build_report,
    render,
)
from osteotalk.report.build import bare_parts
from osteotalk.report.inputs import CohortParts
from osteotalk.report.pages.cohort import cohort_page
from osteotalk.results import CohortResults

POPULATIONS = ["malignant_osteoblastic", "endothelial", "tam", "osteoclast", "cd8_t"]
RESULT = [
    "claim_id", "verdict", "reason", "n_informative", "n_active", "support", "support_low",
    "support_high", "best_edge", "effect", "effect_low", "effect_high", "decoy_p", "decoy_q",
]  # fmt: skip
SUPPORT = [
    "dataset", "source", "target", "ligand_complex", "receptor_complex", "n_informative",
    "n_detected", "n_active", "support", "support_low", "support_high", "median_magnitude_rank",
    "median_specificity_rank", "patients",
]  # fmt: skip
MALIGNANCY = [
    "sample", "patient", "cluster", "population", "n_cells", "n_reference", "copy_number",
    "cnv_score", "cnv_limit", "patient_share", "clone", "arms", "malignant",
    "malignant_probability", "n_yes", "n_no", "n_undetermined", "reason",
]  # fmt: skip
MARKERS = [
    ("malignant", "RUNX2", "+"), ("malignant_osteoblastic", "IBSP", "+"), ("tam", "CD68", "+"),
    ("tam", "C1QA", "+"), ("tam", "CD3D", "-"), ("endothelial", "VWF", "+"),
    ("osteoclast", "CTSK", "+"), ("cd8_t", "CD8A", "+"), ("cd8_t", "NOTSEEN", "+"),
]  # fmt: skip
NAN = float("nan")
_PAGES: dict[str, Page] = {}
_FILES: dict[str, dict[str, str]] = {}


@dataclass(frozen=True)
class Inputs:
    """Arguments of both page builders, and a second place to change them."""

    datasets: pd.DataFrame
    samples: pd.DataFrame
    retired: pd.DataFrame
    qc: list[dict[str, Any]]
    ingest: list[dict[str, Any]]
    adata: ad.AnnData
    clusters: pd.DataFrame
    malignancy: pd.DataFrame
    clone_genes: pd.DataFrame
    cnv: ad.AnnData
    agreement: pd.DataFrame
    support: pd.DataFrame
    cross_check: pd.DataFrame
    evidence: pd.DataFrame
    verdicts: pd.DataFrame
    claims: pd.DataFrame
    populations: pd.DataFrame
    markers: pd.DataFrame
    labels: pd.DataFrame
    parameters: dict[str, Any]
    provenance: dict[str, Any]
    truth: Mapping[str, Any] | None
    decoys: pd.DataFrame | None = None
    left_out: list[dict[str, str]] = field(default_factory=list)
    interactions: pd.DataFrame | None = None
    patients: pd.DataFrame = field(default_factory=lambda: make_patients("toy"))
    statistics: pd.DataFrame = field(default_factory=lambda: make_statistics("toy"))

    def having(self, **changes: Any) -> "Inputs":
        """The same with other values."""
        return replace(self, **changes)

    def dataset_page(self, *, again: bool = False) -> Page:
        """The page of the cohort; that of equal inputs is built once, unless asked for again."""
        key = joblib.hash(self)
        if again or key not in _PAGES:
            _PAGES[key] = cohort_page(self.view())
        return _PAGES[key]

    def tables(self, **more: Any) -> ConfigTables:
        """The tables of the config."""
        return ConfigTables(
            datasets=self.datasets,
            samples=self.samples,
            retired=self.retired,
            claims=self.claims,
            populations=self.populations,
            markers=self.markers,
            labels=self.labels,
            interactions=self.interactions,
            **more,
        )

    def view(self) -> Cohort:
        """The cohort as its sections see it."""
        results = CohortResults(str(self.datasets.iloc[0]["dataset"]), {}).having(
            annotated=self.adata,
            values=self.patients,
            **{
                name: getattr(self, name)
                for name in (
                    *("qc", "ingest", "clusters", "malignancy", "clone_genes", "cnv", "agreement"),
                    *("support", "cross_check", "evidence", "truth", "decoys", "statistics"),
                    "left_out",
                )
            },
        )
        return Cohort(results, self.tables(), self.parameters)

    def cohort(self) -> CohortParts:
        """What the report knows of the cohort, but its page, which takes longest."""
        return replace(bare_parts(self.view()), positions=None)

    def run(self, **more: Any) -> Run:
        """The run as the sections of the other pages see it."""
        first = self.cohort()
        others = [
            replace(
                first,
                page=replace(first.page, file=f"{name}.html"),
                evidence=replace(first.evidence, dataset=name),
                summary={"dataset": name},
                left_out=[],
            )
            for name in map(str, self.datasets["dataset"][1:])
        ]
        overall = Overall(
            verdicts=self.verdicts,
            evidence=self.evidence,
            provenance=self.provenance,
            **{k: v for k, v in more.items() if k != "findings"},
        )
        tables = self.tables(published=more.get("findings"))
        return Run([first, *others], overall, tables, self.parameters)

    def report(self, **more: Any) -> Report:
        """All pages but that of the cohort, which is empty."""
        return build_report(self.run(**more))

    def files(self, *, again: bool = False) -> dict[str, str]:
        """Everything that the report writes; as `dataset_page`."""
        key = joblib.hash(self)
        if again or key not in _FILES:
            report = self.report()
            own = self.dataset_page(again=again)
            _FILES[key] = render(replace(report, datasets=(own, *report.datasets[1:])))
        return dict(_FILES[key])

    def html(self, file: str = "index.html") -> str:
        """One page alone, which is quicker."""
        report = self.report()
        page = next(page for page in report.pages() if page.file == file)
        return render(Report(index=page, datasets=()))[file]

    def dataset_html(self) -> str:
        """The cohort's page alone, which is quicker."""
        return render(Report(index=self.dataset_page(), datasets=()))["toy.html"]


def make_samples() -> pd.DataFrame:
    rows = [
        ("toy", f"S{i}", f"P{i}", "primary" if i < 4 else "lung_metastasis", "osteoblastic")
        for i in range(1, 6)
    ]
    frame = pd.DataFrame(rows, columns=["dataset", "sample", "patient", "condition", "histology"])
    rest = ["site", "treatment", "suspension", "accession", "member", "status", "sources", "note"]
    return frame.assign(**dict.fromkeys(rest, ""))


def make_ingest(samples: pd.DataFrame) -> list[dict[str, Any]]:
    genes = {
        "n_genes_file": 33538, "n_genes": 33500, "renamed": 41, "summed": 38, "unmapped": [],
        "no_ortholog": [], "ambiguous": [], "conflicts": [],
    }  # fmt: skip
    return [
        {
            "dataset": "toy",
            "sample": name,
            "file": f"toy.tar ({name})",
            "format": "matrix",
            "n_droplets": 90,
            "empty_droplets": 7,
            "genes": genes,
        }
        for name in samples["sample"]
    ]


def make_adata(n_cells: int = 300) -> ad.AnnData:
    rng = np.random.default_rng(3)
    population = rng.choice([*POPULATIONS, "unassigned"], n_cells)
    sample = rng.choice([f"S{i}" for i in range(1, 6)], n_cells)
    obs = pd.DataFrame(
        {
            "dataset": "toy",
            "sample": sample,
            "patient": [name.replace("S", "P") for name in sample],
            "condition": ["primary" if name < "S4" else "lung_metastasis" for name in sample],
            "cluster": population,
            "population": pd.Categorical(population),
            "population_state": np.where(population == "tam", "tam_spp1", ""),
            "subcluster": np.where(
                population == "malignant_osteoblastic", "malignant 0", population
            ),
            "major_probability": np.where(
                population == "unassigned", np.nan, 0.86 + 0.014 * (np.arange(n_cells) % 10)
            ),
            "best_match": "",
            "cycling": "no",
            "population_reason": "",
            "lineage_doublet": np.where(
                (population == "unassigned") & (np.arange(n_cells) % 2 == 0), "yes", "no"
            ),
            "clone": np.where(
                (population == "malignant_osteoblastic") & (sample == "S1"), "S1 clone 1", ""
            ),
            "malignant": np.where(population == "malignant_osteoblastic", "yes", "no"),
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    genes = [gene for _, gene, _ in MARKERS if gene != "NOTSEEN"]
    own = {gene: name for name, gene, sign in MARKERS if sign == "+"}
    rate = [[2.0 if own.get(g, "none") in name else 0.1 for g in genes] for name in population]
    x = sparse.csr_matrix(np.log1p(rng.poisson(np.array(rate))).astype(np.float32))
    adata = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=genes))
    centre = {name: 4 * np.array([i % 3, i // 3]) for i, name in enumerate(np.unique(population))}
    adata.obsm["X_umap"] = np.array([centre[name] for name in population]) + rng.normal(
        size=(n_cells, 2)
    )
    adata.obsm["X_umap_unaligned"] = adata.obsm["X_umap"] + 3.0 * (sample == "S1")[:, None]
    adata.obsm["X_umap_unaligned"][:10] = np.nan
    adata.uns["osteotalk"] = {
        "integrate": make_integration(n_cells),
        "annotate": {
            "n_unassigned": 50,
            "n_lineage_doublets": 48,
            "n_parent_only": 7,
            "n_moved": 5,
            "n_groups_taken_out": 2,
            "n_with_state": 1234,
            "n_cycling": 61,
            "min_probability": 0.86,
            "min_measured": 3,
            "too_few_markers": "osteoclast, tam_spp1",
        },
        "malignancy": {
            "renamed": {
                "unassigned to malignant": 3,
                "malignant_osteoblastic to unassigned": 2,
                "osteoclast to malignant": 12,
            },
            "samples": {
                "S1": {
                    "clones": {"S1 clone 1": "1p gained;3p lost", "S1 clone 2": "8q gained"},
                    "gained": "1p;8q",
                    "lost": "3p",
                    "limit": 0.55,
                    "floor": 0.45,
                    "problem": "",
                },
                "S5": {"gained": "", "lost": "", "limit": NAN, "floor": NAN, "problem": "too few"},
            },
        },
    }
    return adata


def make_integration(n_cells: int) -> dict[str, Any]:
    def metric(before: float, after: float, better: str) -> dict[str, Any]:
        return {"before": before, "after": after, "better": better, "what": "measured so"}

    metrics = {
        "ilisi": metric(1.5, 3.25, "higher"),
        "own_clisi": metric(1.1, 1.4, "lower"),
        "own_ari": metric(0.9, 0.899, "higher"),
    }
    return {
        "method": "harmony",
        "aligned": "yes",
        "mixing": {
            "n_cells": 200,
            "n_cells_all": n_cells,
            "notes": ["the cohort has no labels of its authors to compare with"],
            "metrics": metrics,
        },
    }


def make_groups() -> pd.DataFrame:
    """Groups of cells: two with a name, one without, one that is sure of its parent only."""
    rows = [
        ("tam", "major", "tam", 60, "tam", 0.97, "tam", 0.97, "cd8_t", 0.02,
         "CD68, C1QA", "no VWF", 2, 1, 3, ""),
        ("unassigned", "major", "unassigned", 40, "unassigned", 0.6, "osteoclast", 0.6, "", 0.3,
         "CTSK", "", 40, 9, 0, "osteoclast 60%, none of the populations 30%"),
        ("malignant_osteoblastic", "major", "malignant_osteoblastic", 55, "malignant", 0.99,
         "malignant", 0.99, "", 0.01, "RUNX2", "", 0, 0, 0, ""),
        ("malignant 0", "fine", "malignant", 55, "malignant", 1.0, "malignant_osteoblastic", 0.7,
         "", 0.3, "IBSP", "", 0, 0, 0, "malignant_osteoblastic 70%; named as malignant"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["annotation"]))


def make_malignancy(adata: ad.AnnData) -> pd.DataFrame:
    rows = []
    for (sample, cluster), cells in adata.obs.groupby(["sample", "cluster"]):
        yes = "malignant" in cluster
        state = {"S4": "no change", "S5": "not computed"}.get(str(sample), "computed")
        score = float(yes) if state == "computed" else NAN
        call = "undetermined" if sample == "S5" else ("yes" if yes else "no")
        why = "too few reference cells: 3" if sample == "S5" else "copy number agrees"
        counts = [len(cells) if call == name else 0 for name in ("yes", "no", "undetermined")]
        rows.append(
            (sample, sample.replace("S", "P"), cluster, cluster, len(cells), 40, state, score, 0.5,
             0.25, "", "", call, float(yes), *counts, why)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=MALIGNANCY)


def make_cnv(adata: ad.AnnData) -> ad.AnnData:
    rng = np.random.default_rng(4)
    obs = adata.obs[["sample", "patient", "cluster", "population", "malignant"]].iloc[:60].copy()
    obs["reference"] = np.where(obs["population"].isin(["tam", "cd8_t"]), "yes", "no")
    var = pd.DataFrame(
        {"chromosome": ["chr1"] * 6 + ["chr2"] * 4, "start": [*range(6), *range(4)]},
        index=[f"w{i}" for i in range(10)],
    )
    x = sparse.csr_matrix(rng.normal(scale=0.1, size=(len(obs), 10)).astype(np.float32))
    return ad.AnnData(x, obs=obs, var=var)


def make_qc(samples: pd.DataFrame, adata: ad.AnnData) -> list[dict[str, Any]]:
    records = []
    for row in samples.to_dict("records"):
        kept = int((adata.obs["sample"] == row["sample"]).sum())
        records.append(
            {
                **{key: row[key] for key in ("dataset", "sample", "patient", "condition")},
                "n_cells_raw": kept + 30,
                "n_cells_kept": kept,
                "dropped": {"low_counts": 12, "low_genes": 3, "high_mito": 10, "doublet": 5},
                "limits": {"n_counts": [500, 20000], "n_genes": [200, 5000], "pct_mito_max": 12.5},
                "suspension": "cell",
                "overrides": {},
                "distributions": {
                    name: {
                        "edges": [low, 2 * low, 4 * low],
                        "droplets": [12, kept + 18],
                        "below": 0,
                        "above": 0,
                    }
                    for name, low in (("n_counts", 100), ("n_genes", 40), ("pct_mito", 5))
                },
                "doublets": {
                    "expected_share": 0.02,
                    "called_share": 0.031,
                    "threshold": 0.31,
                    "rule": "scrublet",
                    "histogram": {
                        "edges": [-2.0, 0.0, 2.0, 4.0],
                        "observed": [40.0, 20.0, 5.0],
                        "simulated": [30.0, 10.0, 35.0],
                        "threshold": 1.0,
                    },
                },
                "ambient": {
                    "share": 0.04,
                    "share_low": 0.03,
                    "share_high": 0.061,
                    "n_genes": 80,
                    "soup": "all cells",
                    "counts_removed": None,
                    "reason": "",
                },
                "notes": [],
                "median_counts": 2100.0 if kept else None,
                "median_genes": 1100.0 if kept else None,
                "median_pct_mito": 4.2 if kept else None,
            }
        )
    return records


def make_support() -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for i, source in enumerate(POPULATIONS):
        for j, target in enumerate(POPULATIONS):
            active = (i + 2 * j) % 6
            low, high = active / 10, min(1.0, active / 5 + 0.2)
            for k in range(1 + (i * j) % 4):
                edge = ("toy", source, target, f"LIG{k}", f"REC{k}_SUB")
                rows.append(
                    (*edge, 5, 5, active, active / 5, low, high, 0.01 * k + 0.001, 0.02, "P1;P2")
                )
    rows.append(("toy", "tam", "cd8_t", "RARE", "FEW", 1, 1, 1, 1.0, 0.2, 1.0, 1e-5, 1e-5, "P1"))
    return pd.DataFrame(rows, columns=SUPPORT)


def make_claims() -> pd.DataFrame:
    rows = [
        ("C001", "vessels", "Tumour VEGFA acts on endothelial KDR.", "A", "apatinib", "VEGFA^KDR"),
        ("C002", "immune", "TAM SPP1 acts on CD44 of T cells.", "B", "", "SPP1^CD44"),
        ("C003", "immune", "CD47 of tumour cells tells SIRPA of TAM.", "C", "", "CD47^SIRPA"),
        (
            "C004",
            "osteoclasts",
            "TNFSF11 acts on RANK.",
            "A",
            "denosumab",
            "TNFSF11^TNFRSF11A",
        ),
        ("C005", "tumour", "IGF1 acts on IGF1R of tumour cells.", "D", "", "IGF1^IGF1R"),
        ("C006", "matrix", "Vesicles carry miRNA.", "D", "", ""),
        ("C007", "matrix", "Nothing was computed for this one.", "A", "", "A^B"),
    ]
    names = ["claim_id", "theme", "statement", "evidence_tier", "drugs", "pairs"]
    claims = pd.DataFrame(rows, columns=names)
    kinds = ["interaction"] * 5 + ["not_testable", "interaction"]
    return claims.assign(
        kind=kinds,
        genes="",
        signature="",
        source="malignant",
        target="endothelial;tam",
        contrast="",
        direction="present",
        contrast_with="",
        response="",
        route="soluble",
        sources="10.1016/S1470-2045(18)30742-3;PMC4846943",
        caveat=["RNA is not protein & more", *[""] * 6],
        reason="",
    )


def make_evidence(dataset: str) -> pd.DataFrame:
    edge = "malignant_osteoblastic>endothelial:VEGFA^KDR"
    told = "active in patients"
    rows = [
        ("C001", "supported", told, 5, 4, 0.8, 0.3755, 0.9638, edge, 0.21, 0.1, 0.32, 0.002, 0.014),
        ("C002", "present, not specific", told, 5, 3, 0.6, 0.2307, 0.8824, edge, 0.01, -0.1, 0.1,
         0.4, 0.55),
        ("C003", "partly", told, 5, 1, 0.2, 0.0362, 0.6245, edge, 0.0, -0.02, 0.02, 0.5, 0.6),
        ("C004", "not supported", told, 5, 0, 0.0, 0.0, 0.4345, "", -0.1, -0.2, -0.01, 0.91, 0.99),
        ("C005", "contradicted", told, 4, 2, 0.5, 0.15, 0.85, "", NAN, NAN, NAN, NAN, NAN),
        ("C006", "not testable", "not visible in RNA: vesicles", 0, 0, NAN, NAN, NAN, "",
         NAN, NAN, NAN, NAN, NAN),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=RESULT)
    tested = frame["decoy_p"].notna()
    frame = frame.assign(
        dataset=dataset,
        kind="interaction",
        contrast="",
        direction_p=NAN,
        population_p=frame["decoy_p"] / 2,
        n_decoys=np.where(tested, 217, 0),
        n_population_decoys=np.where(tested, 1000, 0),
        response_effect=NAN,
        response_low=NAN,
        response_high=NAN,
        n_response=0,
        circular="",
    )
    return frame[list(TABLES["evidence"])]


def make_patients(dataset: str) -> pd.DataFrame:
    """Five patients behind each claim that was tested, as many active as the evidence says."""
    rows = []
    for row in make_evidence(dataset).to_dict("records"):
        for i in range(row["n_informative"]):
            active = "yes" if i < row["n_active"] else "no"
            condition = "primary" if i < 3 else "lung_metastasis"
            rows.append((row["claim_id"], dataset, f"P{i + 1}", condition, 0.1 * i, 0.05, active))
    names = ["claim_id", "dataset", "patient", "condition", "value", "decoys", "active"]
    return pd.DataFrame(rows, columns=names).assign(along=NAN)


def make_statistics(dataset: str) -> pd.DataFrame:
    """Decoys of the first two claims: of 20, none and eight do as well as the claim."""
    rows = [
        (claim, dataset, control, "claim" if i == 0 else "decoy", own if i == 0 else 0.01 * i)
        for claim, own in (("C001", 0.5), ("C002", 0.125))
        for control in ("matched", "populations")
        for i in range(21)
    ]
    return pd.DataFrame(rows, columns=["claim_id", "dataset", "control", "role", "statistic"])


def make_verdicts() -> pd.DataFrame:
    """The same as combined verdicts of one cohort."""
    frame = make_evidence("all").assign(n_datasets=1, i_squared=NAN)
    return frame.assign(cohorts="toy: " + frame["verdict"])[list(TABLES["verdicts"])]


def make_populations() -> pd.DataFrame:
    rows = [
        ("malignant", "Malignant", "", "#8C2D04"),
        ("malignant_osteoblastic", "Malignant, osteoblastic", "malignant", "#B5421A"),
        ("endothelial", "Endothelial cell", "", "#117733"),
        ("tam", "Tumour-associated macrophage", "", "#4477AA"),
        ("osteoclast", "Osteoclast", "", "#332288"),
        ("cd8_t", "CD8 T cell", "", "#882255"),
        ("tam_spp1", "SPP1+ macrophage", "tam", "#2E6CA4"),
    ]
    frame = pd.DataFrame(rows, columns=["population", "label", "parent", "colour"])
    roles = {"osteoclast": "", "malignant": "malignant", "malignant_osteoblastic": "malignant"}
    return frame.assign(
        level=["state" if row[0] == "tam_spp1" else "" for row in rows],
        cnv_role=[roles.get(row[0], "reference") for row in rows],
    )


PARAMETERS = {
    "seed": 0,
    "datasets": ["toy"],
    "quality_control": {
        "min_counts": 501,
        "min_genes": 202,
        "n_mads": 5.5,
        "max_pct_mito": 21,
        "max_pct_mito_nucleus": 6,
        "n_mads_mito": 4.5,
        "doublets_per_1000": 0.009,
    },
    "integration": {
        "n_top_genes": 2003,
        "n_pcs": 31,
        "method": "harmony",
        "n_neighbors": 14,
        "resolution": 2.5,
    },
    "annotation": {"min_probability": 0.86, "min_measured": 4},
    "interactions": {
        "expr_prop": 0.13,
        "min_cells": 11,
        "n_perms": 1007,
        "alpha": 0.05,
        "engine": "fast",
        "null": "permutation",
        "methods": ["cellphonedb", "natmi", "singlecellsignalr"],
        "consensus": "rra",
    },
    "claims": {
        "min_patients": 3,
        "min_support": 0.5,
        "n_decoys": 999,
        "decoy_pool": 503,
        "max_decoy_q": 0.05,
        "max_direction_p": 0.049,
        "max_population_p": 0.048,
        "n_decoy_tables": 12,
        "n_shuffles": 13,
    },
}
PROVENANCE = {
    "osteotalk": "0.1.0",
    "commit": None,
    "python": "3.11.2",
    "packages": {"scanpy": "1.11.5", "liana": "1.10.0", "anndata": "0.12.0"},
    "resource": {"name": "consensus", "pairs": 4700, "added": 17, "dropped": 2, "sha256": "ab12"},
    "config_sha256": "cd34",
    "files": [
        {"dataset": "toy", "sample": "S1", "role": "matrix", "path": "a/b.mtx.gz", "bytes": 12345,
         "sha256": "ef56"}
    ],
    "seeds": {"analysis": 0, "simulation": 1},
}  # fmt: skip
TRUTH = {
    "edges": {"planted": {"edges": 20, "informative": 18, "recovered": 17, "rate": 17 / 18}},
    "cells": {"right_population": 0.912, "unassigned": None},
    "claims": {
        "planted": {"claims": 3, "verdicts": {"supported": 2, "partly": 1}},
        "planted_partly": {"claims": 1, "verdicts": {"partly": 1}},
        "unplanted": {"claims": 4, "verdicts": {"not supported": 4}},
    },
}


@pytest.fixture
def inputs() -> Inputs:
    samples, adata = make_samples(), make_adata()
    return Inputs(
        datasets=pd.DataFrame(
            [("toy", "Toy cohort", "local", "", "10.1000/toy", "A note")],
            columns=["dataset", "title", "source", "patients_of", "doi", "note"],
        ),
        samples=samples,
        retired=samples.iloc[:0],
        qc=make_qc(samples, adata),
        ingest=make_ingest(samples),
        adata=adata,
        clusters=make_groups(),
        malignancy=make_malignancy(adata),
        clone_genes=empty_frame("clone_genes"),
        cnv=make_cnv(adata),
        agreement=empty_frame("agreement"),
        support=make_support(),
        cross_check=empty_frame("cross_check"),
        evidence=make_evidence("toy"),
        verdicts=make_verdicts(),
        claims=make_claims(),
        populations=make_populations(),
        markers=pd.DataFrame(MARKERS, columns=["population", "gene", "sign"]),
        labels=pd.DataFrame(
            [("toy", "Lung", "", "normal lung"), ("other", "Tumour", "malignant", "not ours")],
            columns=["dataset", "label", "population", "note"],
        ),
        parameters=PARAMETERS,
        provenance=PROVENANCE,
        truth=None,
    )


@pytest.fixture
def many_cells() -> ad.AnnData:
    return make_adata(3500)


@pytest.fixture
def simulated(inputs: Inputs) -> Inputs:
    return inputs.having(datasets=inputs.datasets.assign(source="simulated", doi=""), truth=TRUTH)


@pytest.fixture
def resampled() -> Callable[[Inputs, list[str]], Inputs]:
    """Keep only some samples of the inputs."""

    def keep(inputs: Inputs, names: list[str]) -> Inputs:
        samples = inputs.samples[inputs.samples["sample"].isin(names)].reset_index(drop=True)
        adata = inputs.adata[inputs.adata.obs["sample"].isin(names).to_numpy()].copy()
        return inputs.having(
            samples=samples,
            adata=adata,
            qc=make_qc(samples, adata),
            malignancy=make_malignancy(adata),
            cnv=make_cnv(adata),
        )

    return keep
