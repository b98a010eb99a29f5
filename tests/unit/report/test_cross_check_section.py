"""The section on the check against squidpy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from osteotalk.contract import conform, empty_frame
from osteotalk.report.sections.cross_check import section


def row(sample, **changes):
    told = {
        "dataset": "toy", "sample": sample, "n_edges": 1000, "n_complex": 100, "n_only_ours": 0,
        "n_only_squidpy": 0, "max_mean_difference": 3.4e-7, "p_correlation": 0.99812,
        "max_p_difference": 0.0625, "n_calls_differ": 4, "share_calls_agree": 0.996,
    }  # fmt: skip
    return told | changes


def nothing(sample):
    lacking = ("max_mean_difference", "p_correlation", "max_p_difference", "share_calls_agree")
    return row(sample, n_edges=0, n_complex=0, n_calls_differ=0, **dict.fromkeys(lacking, np.nan))


def checked(*rows):
    return conform(pd.DataFrame(rows), table="cross_check")


@pytest.fixture
def cohort(inputs):
    return inputs.having(parameters=dict(inputs.parameters)).view()


def cross_check_section(cohort, cross_check):
    return section(replace(cohort, results=cohort.results.having(cross_check=cross_check)))


def test_what_agrees_is_told_over_all_samples(cohort):
    found = cross_check_section(cohort, checked(row("S2"), row("S1", max_p_difference=0.0713)))
    told = " ".join(found.body)
    assert "in 2 samples: 2,000 edges were compared, 200 with a complex were not" in told
    assert "strengths differ by at most 3.4e-07 of the larger one" in told
    assert "p-values differ by at most 0.0713; 99.60% of the edges lie on the same side" in told
    equal = cross_check_section(cohort, checked(row("S1", max_mean_difference=0.0)))
    assert "The strengths are equal. The p-values" in equal.body[0]
    assert "Both scored the same edges, with the same strengths" in told
    assert "must not" not in told
    assert list(found.tables[0].frame["sample"]) == ["S1", "S2"]  # in the order of the cohort


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_mean_difference": 2e-5}, "In S3 strengths differ, which must not be"),
        ({"n_only_ours": 1}, "In S3 an edge was scored by one program only"),
        ({"n_only_squidpy": 2}, "In S3 an edge was scored by one program only"),
    ],
)
def test_what_must_not_differ_is_named(cohort, changes, told):
    body = cross_check_section(cohort, checked(row("S1"), row("S3", **changes))).body
    assert told in body[1]
    assert "S1" not in body[1]
    assert "Both scored" not in body[1]


def test_samples_without_edges(cohort, inputs):
    some = checked(row("S1"), nothing("S2"))
    assert "1,000 edges were compared" in cross_check_section(cohort, some).body[0]
    none = cross_check_section(cohort, checked(nothing("S1")))
    assert none.body[0].endswith("0 edges were compared, 0 with a complex were not.")
    assert "nan" not in " ".join(none.body)
    html = inputs.having(cross_check=some).dataset_html()
    assert "no edge compared" in html


def test_scatter_of_the_shuffles_is_told(cohort):
    cohort.parameters["interactions"] = {"n_perms": 1007, "null": "moments"}
    told = cross_check_section(cohort, checked(row("S1"))).caveats[1]
    # sqrt(0.25 / 1007)
    assert "with 1,007 shuffles" in told
    assert "by about √(p(1 − p)/shuffles), here by 0.016 at p = 0.5." in told
    assert "drawn as well" not in told
    cohort.parameters["interactions"] = {"n_perms": 4000, "null": "permutation"}
    told = cross_check_section(cohort, checked(row("S1"))).caveats[1]
    assert "here by 0.0079 at p = 0.5. osteotalk's were drawn as well" in told
    cohort.parameters["interactions"] = {}
    assert (
        "by about √(p(1 − p)/shuffles). Among"
        in cross_check_section(cohort, checked(row("S1"))).caveats[1]
    )


def test_the_section_is_on_the_page_only_if_the_check_was_run(cohort, inputs):
    assert cross_check_section(cohort, empty_frame("cross_check")) is None
    assert 'id="cross-check"' not in inputs.dataset_html()
    files = inputs.having(cross_check=checked(row("S1"), row("S2"))).files()
    assert 'id="cross-check"' in files["toy.html"]
    assert "agree by construction" in files["toy.html"]
    lines = files["assets/toy_cross_check.tsv"].splitlines()
    assert lines[0].split("\t")[1:4] == ["sample", "n_edges", "n_complex"]
    assert lines[1].split("\t")[1:4] == ["S1", "1000", "100"]
