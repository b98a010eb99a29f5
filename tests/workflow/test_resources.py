"""What rules ask for, against what they took (benchmarks/resources.tsv)."""

import re
import runpy
from types import SimpleNamespace

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def rules(repository):
    return runpy.run_path(str(repository / "workflow" / "rules" / "resources.smk"))


def job(size_mb, attempt=1):
    return {"input": SimpleNamespace(size_mb=size_mb), "attempt": attempt}


def test_every_rule_has_a_row_and_asks_by_it(rules, repository):
    texts = [path.read_text() for path in (repository / "workflow" / "rules").glob("*.smk")]
    parts = [part for text in texts for part in re.split(r"(?m)^(?=rule |checkpoint )", text)]
    heads = [re.match(r"(?:rule|checkpoint) (\w+):", part) for part in parts]
    found = {head[1]: part for head, part in zip(heads, parts, strict=True) if head}
    assert set(found) == set(rules["NEEDS"])
    for name, part in found.items():
        assert re.search(rf'mem_mb=memory\(\s*"{name}"', part), name
        assert f'runtime=minutes("{name}")' in part, name


def test_rules_ask_for_more_than_they_took(rules, repository):
    measured = pd.read_csv(repository / "benchmarks" / "resources.tsv", sep="\t")
    assert {"filter_cells", "integrate_cohort", "calibrate_cohort"} <= set(measured["rule"])
    for row in measured.to_dict("records"):
        asked = rules["memory"](row["rule"])(None, threads=row["threads"], **job(row["input_mb"]))
        assert asked >= 1.25 * row["max_rss"], row
        minutes = rules["minutes"](row["rule"])(None, **job(row["input_mb"]))
        assert minutes * 60 >= 3 * row["seconds"], row


@pytest.mark.parametrize("name", ["memory", "minutes"])
def test_a_further_try_asks_for_more(rules, name):
    for rule in rules["NEEDS"]:
        more = {"threads": 1} if name == "memory" else {}
        asked = [rules[name](rule)(None, **more, **job(10, attempt)) for attempt in (1, 2, 3)]
        assert asked[0] < asked[1] < asked[2]


def test_a_sample_of_a_shared_file_asks_for_its_part(rules):
    def asked(n):
        return rules["memory"]("ingest_sample", sharing=lambda wildcards: n)(
            None, threads=1, **job(1200)
        )

    least, per_mb, _, _ = rules["NEEDS"]["ingest_sample"]
    assert asked(1) == least + 1200 * per_mb
    assert asked(12) == pytest.approx(least + (100 + 200) * per_mb, abs=1)
