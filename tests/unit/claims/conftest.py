"""Two synthetic cohorts: one of arrays, for exact numbers; one of cells, with planted truth."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.claims.claim import read_claims
from osteotalk.claims.controls.candidates import Settings
from osteotalk.claims.evidence import gather_evidence
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.samples import SampleData, build_cohort
from osteotalk.claims.verdicts import Rules
from osteotalk.interactions.scoring import score_sample

RULES = Rules(
    min_patients=3, min_support=0.5, max_decoy_q=0.05, max_direction_p=0.05, max_population_p=0.05
)
SETTINGS = Settings(n_decoys=400, decoy_pool=200, seed=0)
SCORING = {"min_cells": 10, "expr_prop": 0.1, "alpha": 0.05}
COLUMNS = (
    *("claim_id", "theme", "route", "statement", "kind", "pairs", "genes", "signature"),
    *("source", "target", "contrast", "direction", "contrast_with", "response", "reason"),
    *("drugs", "evidence_tier", "sources", "named_in_review", "caveat"),
)
VOCABULARY = pd.DataFrame(
    [
        ("malignant", "", ""),
        ("endothelial", "", ""),
        ("stromal", "", ""),
        ("fibroblast", "stromal", ""),
        ("msc", "stromal", ""),
        ("osteoclast", "", ""),
        ("myeloid", "", ""),
        ("tam", "myeloid", ""),
        ("monocyte", "myeloid", ""),
        ("dc", "myeloid", ""),
        ("t_nk", "", ""),
        ("cd4_t", "t_nk", ""),
        ("cd8_t", "t_nk", ""),
        ("b_cell", "", ""),
        ("plasma", "", ""),
        ("tam_spp1", "tam", "state"),
        ("tam_c1q", "tam", "state"),
    ],
    columns=["population", "parent", "level"],
)
MARKERS = pd.DataFrame([("malignant", "L0", "+")], columns=["population", "gene", "sign"])
NO_SIGNATURES = pd.DataFrame({"signature": [], "gene": [], "weight": []}, dtype=object)


def claims_table(*rows, **common):
    """A table of claims; what a row does not name is empty."""
    filled = [
        dict.fromkeys(COLUMNS, "")
        | {"claim_id": f"C{i}", "theme": "immune", "direction": "present"}
        | common
        | row
        for i, row in enumerate(rows)
    ]
    return pd.DataFrame(filled, columns=COLUMNS)


def read(*rows, vocabulary=VOCABULARY, **common):
    return read_claims(claims_table(*rows, **common), vocabulary=vocabulary)


def unnamed(*rows):
    """Cells whose group was not sure enough, see `Cohort.unnamed`."""
    names = ["patient", "subcluster", "best_match", "population", "n_cells"]
    return pd.DataFrame(rows, columns=names)


def light_cohort(means, *, populations, **given):
    """A cohort from its means (samples x populations x genes); what is not given is plain."""
    means = np.asarray(means, dtype=float)
    s, k, g = means.shape
    pairs = given.pop("pairs", [])
    values = {
        "dataset": "d",
        "samples": tuple(f"S{i:02d}" for i in range(s)),
        "patients": tuple(f"P{i:02d}" for i in range(s)),
        "conditions": ("primary",) * s,
        "populations": tuple(populations),
        "sizes": np.full((s, k), 50),
        "states": {},
        "state_parents": dict(zip(VOCABULARY["population"], VOCABULARY["parent"], strict=True)),
        "genes": pd.Index([f"G{i}" for i in range(g)]),
        "measured": np.ones((s, g), dtype=bool),
        "means": means,
        "shares": (means > 0).astype(float),
        "detection": np.full(g, 0.2),
        "pairs": pd.DataFrame(pairs, columns=["ligand", "receptor"], dtype=object),
        "active": np.zeros((s, len(pairs), k, k), dtype=bool),
        "programmes": {},
        "tested": (frozenset(),) * s,
        "partners": np.arange(s),
        "unnamed": unnamed(),
        **SCORING,
    }
    return Cohort(**values | given)


def findings_of(
    cohort, table, *, signatures=NO_SIGNATURES, vocabulary=VOCABULARY, rules=RULES, **other
):
    """All that the engine finds."""
    settings = replace(SETTINGS, **other.pop("settings", {}))
    return gather_evidence(
        table,
        cohort,
        vocabulary=vocabulary,
        markers=other.pop("markers", MARKERS),
        signatures=signatures,
        rules=rules,
        settings=settings,
        **other,
    )


def evidence_of(cohort, table, **other):
    """Table `evidence` by claim, and table `decoys`."""
    found = findings_of(cohort, table, **other)
    return found.evidence.set_index("claim_id", drop=False), found.decoys


# ---- cells

PAIRS = pd.DataFrame(
    {"ligand": [f"L{i}" for i in range(70)], "receptor": [f"R{i}" for i in range(70)]}
)
GENES = [*PAIRS["ligand"], *PAIRS["receptor"], *(f"G{i}" for i in range(150))]
HERE = ("malignant", "endothelial", "fibroblast", "tam", "monocyte", "cd4_t", "cd8_t", "b_cell")
SIZES = dict.fromkeys(HERE, 20) | {"malignant": 40, "unassigned": 8}
SIGNATURES = pd.DataFrame(
    [("high", f"G{i}", "1") for i in range(20, 26)]
    + [("mixed", f"G{i}", "1" if i < 34 else "-1") for i in range(30, 37)]
    + [("short", f"G{i}", "1") for i in range(40, 44)]
    + [("short", f"ABSENT{i}", "1") for i in range(4)],
    columns=["signature", "gene", "weight"],
)
# Samples: patient and condition. P0 has two.
SAMPLES = [("S0", "P0", "primary"), ("S0b", "P0", "primary")] + [
    (f"S{i}", f"P{i}", "primary" if i < 4 else "lung_metastasis") for i in range(1, 8)
]
LUNG = ("P4", "P5", "P6", "P7")
EVERYONE = tuple(f"P{i}" for i in range(8))


@dataclass(frozen=True)
class Plan:
    """What is planted: rows of populations, genes, patients and how many times higher."""

    raised: tuple
    samples: tuple = tuple(SAMPLES)
    sizes: tuple = ()  # rows of patients, population and cells
    rate: float = 0.35
    seed: int = 0


def make_samples(plan):
    """Cells of every sample: Poisson counts, all genes alike but for what is planted."""
    column = {gene: i for i, gene in enumerate(GENES)}
    made = []
    for i, (sample, patient, condition) in enumerate(plan.samples):
        rng = np.random.default_rng([plan.seed, i])
        sizes = dict(SIZES)
        for patients, name, n in plan.sizes:
            if patient in patients:
                sizes[name] = n
        label = np.repeat(list(sizes), list(sizes.values()))
        rates = np.full((len(label), len(GENES)), plan.rate)
        for populations, genes, patients, factor in plan.raised:
            if patient in patients:
                at = [column[g] for g in genes]
                rates[np.ix_(np.isin(label, populations), at)] *= factor
        values = np.log1p(rng.poisson(rates)).astype(np.float32)
        state = np.where(label == "tam", np.where(np.arange(len(label)) % 4, "tam_c1q", "tam_spp1"),
                         label)  # fmt: skip
        made.append(
            AnnData(
                sparse.csr_matrix(values),
                obs=pd.DataFrame(
                    {
                        "dataset": "d",
                        "sample": sample,
                        "patient": patient,
                        "condition": condition,
                        "population": label.astype(str),
                        "population_state": state.astype(str),
                        "subcluster": label.astype(str),
                        "best_match": np.where(label == "unassigned", "plasma", ""),
                    },
                    index=[f"{sample}_{c}" for c in range(len(label))],
                ),
                var=pd.DataFrame(index=GENES),
            )
        )
    return made


def score(samples, *, resource=PAIRS):
    return [
        SampleData(adata, score_sample(adata, resource=resource, settings=SCORING, seed=0))
        for adata in samples
    ]


def build(scored, table, *, signatures=SIGNATURES, vocabulary=VOCABULARY, resource=PAIRS):
    """A cohort of scored samples, through the real code."""
    return build_cohort(
        scored,
        dataset="d",
        resource=resource,
        claims=read_claims(table, vocabulary=vocabulary),
        signatures=signatures,
        vocabulary=vocabulary,
        **SCORING,
    )


@pytest.fixture(scope="session")
def kit():
    """The words of the tests of this folder."""
    return SimpleNamespace(**globals())


INTERACTION, EXPRESSION, SIGNATURE, COMPOSITION = (
    {"kind": kind} for kind in ("interaction", "expression", "signature", "composition")
)
CONDITIONS = {"contrast": "conditions", "contrast_with": "lung_metastasis>primary"}
HIGHER, LOWER = ({**CONDITIONS, "direction": d} for d in ("higher", "lower"))
ALONG = {"contrast": "correlation", "direction": "higher"}
MAIN = {"source": "malignant", "target": "endothelial"}

# Planted claims and the verdict each must get.
CLAIMS = {
    "edge": (INTERACTION | MAIN | {"pairs": "L0^R0", "response": "high"}, "supported"),
    "edges": (INTERACTION | MAIN | {"pairs": "L0^R0;L1^R1;NO^PE"}, "supported"),
    "parent": (
        INTERACTION | {"pairs": "L2^R2", "source": "myeloid", "target": "t_nk"},
        "supported",
    ),
    "everywhere": (
        INTERACTION | {"pairs": "L3^R3", "source": "tam", "target": "cd4_t"},
        "present, not specific",
    ),
    "some": (INTERACTION | MAIN | {"pairs": "L4^R4"}, "partly"),
    "reversed": (
        INTERACTION | {"pairs": "L0^R0", "source": "endothelial", "target": "malignant"},
        "not supported",
    ),
    "few": (INTERACTION | {"pairs": "L0^R0", "source": "dc", "target": "tam"}, "inconclusive"),
    "too_few": (
        INTERACTION | {"pairs": "L0^R0", "source": "plasma", "target": "tam"},
        "not testable",
    ),
    "absent": (
        INTERACTION | {"pairs": "L0^R0", "source": "osteoclast", "target": "tam"},
        "not testable",
    ),
    "unscored": (INTERACTION | MAIN | {"pairs": "NO^PE"}, "not testable"),
    "vesicle": ({"kind": "not_testable", "reason": "not visible in RNA"}, "not testable"),
    "gene": (EXPRESSION | {"genes": "G0", "source": "tam"}, "supported"),
    "two_genes": (EXPRESSION | {"genes": "G0;G1", "source": "tam"}, "supported"),
    "one_of_two": (EXPRESSION | {"genes": "G0;G99", "source": "tam"}, "not supported"),
    "gene_of_some": (EXPRESSION | {"genes": "G2", "source": "tam"}, "partly"),
    "flat_gene": (EXPRESSION | {"genes": "G98", "source": "tam"}, "not supported"),
    "no_gene": (EXPRESSION | {"genes": "G0;ABSENT1", "source": "tam"}, "not testable"),
    "programme": (SIGNATURE | {"signature": "high", "source": "cd8_t"}, "supported"),
    "no_programme": (
        SIGNATURE | {"signature": "high", "source": "b_cell", "target": "cd8_t"},
        "not supported",
    ),
    "short": (SIGNATURE | {"signature": "short", "source": "cd8_t"}, "not testable"),
    "like_others": (
        EXPRESSION | {"genes": "G100", "source": "fibroblast"},
        "present, not specific",
    ),
    "large": (COMPOSITION | {"source": "malignant"}, "present, not specific"),
    "small": (COMPOSITION | {"source": "cd4_t"}, "not supported"),
    "state": (COMPOSITION | {"source": "tam_c1q", "target": "tam"}, "present, not specific"),
    "higher_edge": (INTERACTION | MAIN | HIGHER | {"pairs": "L5^R5"}, "supported"),
    "lower_edge": (INTERACTION | MAIN | LOWER | {"pairs": "L5^R5"}, "contradicted"),
    "higher_gene": (EXPRESSION | HIGHER | {"genes": "G5", "source": "tam"}, "supported"),
    "lower_gene": (EXPRESSION | LOWER | {"genes": "G5", "source": "tam"}, "contradicted"),
    "same_gene": (EXPRESSION | HIGHER | {"genes": "G97", "source": "tam"}, "inconclusive"),
    "higher_programme": (
        SIGNATURE | HIGHER | {"signature": "mixed", "source": "cd4_t"},
        "supported",
    ),
    "higher_share": (COMPOSITION | HIGHER | {"source": "b_cell"}, "present, not specific"),
    "one_arm": (
        EXPRESSION
        | HIGHER
        | {"genes": "G5", "source": "tam", "contrast_with": "recurrence>primary"},
        "not testable",
    ),
    "along_gene": (
        EXPRESSION | ALONG | {"genes": "G6", "source": "tam", "contrast_with": "gene:G7@malignant"},
        "supported",
    ),
    "along_share": (
        EXPRESSION | ALONG | {"genes": "G8", "source": "tam", "contrast_with": "share:b_cell"},
        "supported",
    ),
    "along_none": (
        EXPRESSION | ALONG | {"genes": "G5", "source": "tam", "contrast_with": "gene:NO@tam"},
        "not testable",
    ),
    "along_nowhere": (
        EXPRESSION | ALONG | {"genes": "G5", "source": "plasma", "contrast_with": "gene:G7@tam"},
        "not testable",
    ),
}

PLAN = Plan(
    raised=(
        (("malignant",), ("L0", "L1"), EVERYONE, 10),
        (("endothelial",), ("R0", "R1"), EVERYONE, 10),
        (("tam", "monocyte"), ("L2",), EVERYONE, 10),
        (("cd4_t", "cd8_t"), ("R2",), EVERYONE, 10),
        (("tam",), ("L3",), EVERYONE, 9),
        (("monocyte", "fibroblast"), ("L3",), EVERYONE, 15),
        (("cd4_t",), ("R3",), EVERYONE, 9),
        (("cd8_t", "b_cell"), ("R3",), EVERYONE, 15),
        (("malignant",), ("L4",), EVERYONE[:3], 10),
        (("endothelial",), ("R4",), EVERYONE[:3], 10),
        (("malignant",), ("L5",), LUNG, 10),
        (("endothelial",), ("R5",), LUNG, 10),
        (("tam",), ("G0", "G1"), EVERYONE, 10),
        (("tam",), ("G2",), EVERYONE[:3], 10),
        (("tam",), ("G98", "G99"), EVERYONE, 0.3),
        (("fibroblast",), ("G100",), EVERYONE, 5),
        (("fibroblast",), tuple(f"G{i}" for i in range(101, 150)), EVERYONE, 9),
        (("cd8_t",), tuple(f"G{i}" for i in range(20, 26)), EVERYONE, 6),
        (("tam",), ("G5",), LUNG, 6),
        (("cd4_t",), tuple(f"G{i}" for i in range(30, 34)), LUNG, 5),
        *((("tam",), ("G6",), (p,), 1 + 1.5 * i) for i, p in enumerate(EVERYONE)),
        *((("malignant",), ("G7",), (p,), 1 + 1.5 * i) for i, p in enumerate(EVERYONE)),
        *((("tam",), ("G8",), (p,), 1 + 1.5 * i) for i, p in enumerate(EVERYONE)),
    ),
    sizes=(
        (EVERYONE[:3], "dc", 15),
        (EVERYONE[:2], "plasma", 15),
        *(((p,), "b_cell", 20 + 6 * i) for i, p in enumerate(EVERYONE)),
    ),
)


@pytest.fixture(scope="session")
def planted_claims():
    return claims_table(*(row | {"claim_id": name} for name, (row, _) in CLAIMS.items()))


@pytest.fixture(scope="session")
def planted_cells():
    """Samples with their edges."""
    return score(make_samples(PLAN))


@pytest.fixture(scope="session")
def planted(planted_cells, planted_claims):
    """The cohort of cells with planted truth."""
    return build(planted_cells, planted_claims)


@pytest.fixture(scope="session")
def planted_findings(planted, planted_claims):
    """All that the engine finds in it."""
    return findings_of(planted, planted_claims, signatures=SIGNATURES)


@pytest.fixture(scope="session")
def planted_evidence(planted_findings):
    """Tables `evidence`, by claim, and `decoys` of it."""
    return planted_findings.evidence.set_index("claim_id", drop=False), planted_findings.decoys
