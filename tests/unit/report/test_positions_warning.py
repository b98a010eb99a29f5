"""What a report says where copy number is missing, on which pages, and where positions are from."""

from dataclasses import replace

import pytest

from osteotalk.report import Overall, Run, build_report, render
from osteotalk.report.tables.positions import (
    CohortPositions,
    cohort_positions,
    positions_origins,
    positions_sentence,
    positions_warning,
    reference_warning,
)

GOOD = CohortPositions("a", "A", True, "gtf", 20_000, 19_000, n_used=9000, min_genes=1000)
PACKAGED = replace(GOOD, source="infercnvpy 0.6.1, GRCh37", n_known=6000)
NO_POSITIONS = replace(GOOD, source="none", n_known=0, n_used=0)


def noted(source="none", n_known=0, *, n_used=0, samples=None):
    return {
        "positions": {"source": source, "n_genes": 4000, "n_known": n_known},
        "malignancy": {
            "n_genes": n_used,
            "min_genes": 1000,
            "min_reference": 20,
            "samples": samples or {},
        },
    }


@pytest.mark.parametrize(
    ("row", "takes"),
    [
        ({"source": "local", "species": ""}, True),
        ({"source": "public", "species": "human"}, True),
        ({"source": "public", "species": "dog"}, False),
        ({"source": "simulated", "species": ""}, False),
    ],
)
def test_what_the_annotation_noted_is_read(row, takes):
    samples = {
        "S1": {"problem": "", "n_reference": 100},
        "S2": {"problem": "the sample has 3 cells of reference populations", "n_reference": 3},
        "S3": {"problem": "something else", "n_reference": 30},
    }
    found = cohort_positions(
        noted("var", 3000, n_used=1200, samples=samples), {"dataset": "d", "title": "D", **row}
    )
    assert found == CohortPositions(
        *("d", "D", takes, "var", 4000, 3000),
        n_used=1200,
        min_genes=1000,
        n_samples=3,
        without_reference=("S2",),
        min_reference=20,
    )
    assert not found.lacking
    (told,) = reference_warning(found)
    assert told.startswith("NO COPY NUMBER in 1 of 3 samples (S2): fewer than 20 reference cells")
    assert cohort_positions({}, {"dataset": "d", **row}) is None
    assert (
        reference_warning(None) == reference_warning(GOOD) == positions_warning([None, GOOD]) == ()
    )


def test_cohorts_that_lack_the_same_are_told_together():
    b = replace(NO_POSITIONS, dataset="b", title="B")
    dog = replace(NO_POSITIONS, title="Dogs", takes_shared=False)
    human, other = positions_warning([NO_POSITIONS, GOOD, b, dog])
    assert human.startswith(
        "NO COPY NUMBER in 'A' and 'B': no positions of genes are known. Tumour"
    )
    assert "markers alone" in human
    assert "Set genes.positions in the config to infercnvpy, a GTF file or its address" in human
    assert other.startswith("NO COPY NUMBER in 'Dogs': ")
    assert "genes.positions is used for real human cohorts alone" in other
    assert "Set genes.positions" not in other
    # of samples without reference cells nothing is said where there are no positions anyway
    assert reference_warning(replace(NO_POSITIONS, without_reference=("S",), n_samples=1)) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"source": "shared", "n_known": 0},
            "none of the 20,000 genes is in the file named by gen",
        ),
        (
            {"source": "gtf", "n_known": 999, "n_used": 300},
            r"(999 of 20,000; 300 of them are on an",
        ),
        (
            {"source": PACKAGED.source, "n_known": 0},
            "none of the 20,000 genes is in infercnvpy 0.6.1, GRCh37. Tumour",
        ),
        (
            {"source": PACKAGED.source, "n_known": 999, "n_used": 300},
            "set genes.positions in the config to a GTF file or its address, which know more",
        ),
        ({"source": "var", "n_known": 999, "n_used": 999}, "Those that came with the data were"),
    ],
)
def test_too_few_positions_are_told_with_their_numbers(change, message):
    (told,) = positions_warning([replace(GOOD, **change)])
    assert message in told


def test_every_page_says_it_and_samples_are_on_the_page_of_their_cohort(inputs):
    samples = {"S2": {"problem": "the sample has 3 cells", "n_reference": 3}}
    inputs.adata.uns["osteotalk"] |= noted("shared", 3900, n_used=2000, samples=samples)
    page = inputs.dataset_page()
    assert "NO COPY NUMBER in 1 of 1 sample (S2)" in page.warnings[0]
    first = replace(inputs.cohort(), page=page, positions=NO_POSITIONS)
    report = build_again(inputs, first)
    files = {name: text for name, text in render(report).items() if name.endswith(".html")}
    assert {"index.html", "toy.html", "confidence.html", "methods.html", "provenance.html"} < set(
        files
    )
    assert any(name.startswith("claims/") for name in files)
    assert all("NO COPY NUMBER in &#39;A&#39;: no positions" in text for text in files.values())
    assert [name for name, text in files.items() if "1 of 1 sample (S2)" in text] == ["toy.html"]
    assert "Positions of genes of A: not known." in files["methods.html"]
    assert "A: not known" in files["provenance.html"]


def build_again(inputs, first):
    """The report of the made-up run with another first cohort."""
    overall = Overall(inputs.verdicts, inputs.evidence, inputs.provenance)
    return build_report(Run([first], overall, inputs.tables(), inputs.parameters))


def test_nothing_is_said_where_positions_are_known(inputs):
    report = build_again(inputs, replace(inputs.cohort(), positions=GOOD))
    assert all(page.warnings == () for page in report.pages())


def test_the_methods_name_the_origin_of_positions():
    provenance = {
        "files": [
            {
                "dataset": "a",
                "role": "gtf",
                "path": "resources/a/x.gtf",
                "url": "https://x.org/x.gtf",
            },
            {"dataset": "b", "role": "gtf", "path": "all.gtf", "url": ""},
            {"dataset": "b", "role": "h5ad", "path": "b.h5ad", "url": ""},
        ]
    }
    cohorts = [
        GOOD,
        replace(GOOD, dataset="b", title="B", source="shared"),
        replace(GOOD, dataset="c", title="C", source="var"),
        replace(NO_POSITIONS, dataset="d", title="D"),
        replace(NO_POSITIONS, dataset="e", title="E"),
        replace(PACKAGED, dataset="f", title="F"),
        None,
    ]
    origins = positions_origins(cohorts, provenance)
    assert origins[1] == "B: from all.gtf, which genes.positions names for all cohorts"
    assert positions_sentence(origins) == (
        " Positions of genes of A: from https://x.org/x.gtf; of B: from all.gtf, which "
        "genes.positions names for all cohorts; of C: from what came with the data; of D and E: "
        "not known; of F: from infercnvpy 0.6.1, GRCh37, 6,000 of 20,000 genes; only their order "
        "and arms count."
    )
    assert positions_origins([GOOD], {}) == ["A: from a file of the cohort"]
    assert positions_sentence(positions_origins([None], provenance)) == ""
