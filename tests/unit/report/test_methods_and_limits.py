"""Text that is made from settings: methods, definitions, limits."""

import re

import pandas as pd

from osteotalk.claims.controls.decoys import CALIPER, CELL_CALIPER, MIN_POOL
from osteotalk.claims.measures.contrasts import MIN_CORRELATED
from osteotalk.claims.measures.programmes import MIN_GENES
from osteotalk.interactions.nulls.moments import MOST_DRAWS
from osteotalk.report.sections.provenance import _facts
from osteotalk.report.words.methods import _interactions, methods_text
from osteotalk.report.words.wording import (
    circular_sentence,
    resource_sentence,
    term_definitions,
    verdict_definitions,
)

DOIS = [
    "10.1186/s13059-017-1382-0",
    "10.21105/joss.04371",
    "10.1016/j.cels.2018.11.005",
    "10.1093/gigascience/giaa151",
    "10.1038/s41592-019-0619-0",
    "10.1038/s41598-019-41695-z",
    "10.1126/science.aad0501",
    "10.1038/s41467-022-30755-0",
    "10.1093/bioinformatics/btr709",
    "10.1038/s41596-020-0292-x",
    "10.1038/s41467-020-18873-z",
    "10.1111/j.2517-6161.1995.tb02031.x",
    "10.1080/01621459.1927.10502953",
    "10.12688/f1000research.29032.2",
    "10.1093/bioadv/vbac016",
    "10.1214/aoms/1177730491",
    "10.1093/biomet/34.1-2.28",
    "10.1007/BF02294183",
    "10.2202/1544-6115.1585",
    "10.1111/j.1420-9101.2005.00917.x",
    "10.1002/sim.1009",
    "10.1002/sim.1186",
]


def text_of(inputs, **changes):
    values = {
        "parameters": inputs.parameters,
        "provenance": inputs.provenance,
        "datasets": inputs.datasets,
        "samples": inputs.samples,
    }
    return " ".join(methods_text(**(values | changes)))


# Settings that choose a sentence instead of standing in one.
CHOICES = ("engine", "null", "methods", "consensus")


def scoring_text(**settings):
    return _interactions({"interactions": settings}, {"versions": {"liana": "1.10.0"}})


def test_scoring_is_described_as_it_was_done():
    fast = scoring_text(engine="fast", null="moments", methods=["cellphonedb", "cellchat"])
    assert "osteotalk's own code" in fast
    assert "computed by a saddlepoint approximation (doi:10.2307/3214212" in fast
    assert f"dealt to its expressing cells (at most {MOST_DRAWS:,} times)." in fast
    assert "CellPhoneDB (doi:10.1038/s41596-020-0292-x) and CellChat" in fast
    assert "robust rank aggregation (doi:10.1093/bioinformatics/btr709)" in fast
    slow = scoring_text(engine="liana", null="permutation", n_perms=1234, consensus="mean")
    assert "own code" not in slow
    assert "P-values come from 1,234 shuffles" in slow or "from 1234 shuffles" in slow
    assert "saddlepoint" not in slow
    assert "their mean rank" in slow


def test_every_setting_of_the_steps_is_named(inputs):
    text = text_of(inputs)
    for section in ("quality_control", "integration", "annotation", "interactions", "claims"):
        for name, value in inputs.parameters[section].items():
            if not isinstance(value, bool) and name not in CHOICES:
                assert re.search(rf"(?<![\d.]){re.escape(str(value))}(?![\d])", text), name


def test_every_source_is_linked(inputs):
    text = text_of(inputs)
    links = inputs.html("methods.html")
    for doi in DOIS:
        assert f"doi:{doi}" in text
        assert f'href="https://doi.org/{doi}"' in links


def test_absent_settings_take_their_clause_with_them(inputs):
    text = text_of(inputs, parameters={}, provenance={})
    assert "None" not in text
    assert "()" not in text
    assert "  " not in text


def test_steps_that_did_not_run_are_not_described(inputs):
    off = {"quality_control": {"doublets_per_1000": 0}, "integration": {"method": "none"}}
    text = text_of(inputs, parameters=off)
    assert "Doublets were not called" in text
    assert "Samples were not aligned." in text
    assert "Scrublet" not in text
    assert "Harmony" not in text
    assert "Second opinions" not in text


def test_methods_in_use_are_named(inputs):
    used = {
        "integration": {"method": "scanorama"},
        "annotation": {"celltypist": "model.pkl", "reference": "bone.h5ad"},
        "malignancy": {"window": 101, "min_reference": 21, "min_genes": 1001},
    }
    text = text_of(inputs, parameters=used)
    assert "aligned with Scanorama (scanorama; doi:10.1038/s41587-019-0113-3)" in text
    assert "celltypist (doi:10.1126/science.abl5197) with the model model.pkl and labels" in text
    assert "the annotated reference bone.h5ad." in text
    assert "(windows of 101 genes; at least 21 reference cells; at least 1001 genes" in text
    assert "standard errors; at least 2 such arms); cells that were judged" in text
    assert "a probability of at least 0.95 by their markers" in text
    assert "malignant from a probability of 0.9 and not malignant up to 0.1." in text
    assert "Cells whose copy number contradicts their markers are renamed or unassigned." in text


def test_simulated_cohorts_say_so(inputs, simulated):
    said = "simulated by osteotalk with planted interactions, not patients"
    assert said in text_of(simulated)
    assert said not in text_of(inputs)


def test_definitions_use_the_thresholds_in_use(inputs):
    parameters = inputs.parameters | {
        "claims": {"min_patients": 4, "min_support": 0.6, "max_decoy_q": 0.01}
    }
    meaning = dict(verdict_definitions(parameters))
    assert "at least 0.6 of the informative" in meaning["● supported"]
    assert "at most 0.01" in meaning["● supported"]
    assert "fewer than 4 informative" in meaning["□ not testable"]
    assert "at least 11 cells" in dict(term_definitions(parameters))["Informative patient"]


def test_claims_are_described_with_the_limits_of_the_code(inputs):
    text = text_of(inputs)
    for sentence in (
        f"Spearman's rho over patients, at least {MIN_CORRELATED} of them",
        f"of at least {MIN_GENES} measured genes",
        f"share of the cohort's cells within a factor of {CALIPER:g}",
        f"with cells within a factor of {CELL_CALIPER:g}. With fewer than {MIN_POOL} candidates",
        "combined by Stouffer's method",
        "the interval of Hartung and Knapp",
        "the method waggr of decoupler",
        "takes no part in a verdict",
    ):
        assert sentence in text


def test_circular_claims_are_named_with_their_genes(inputs):
    none = circular_sentence(inputs.verdicts)
    assert none.endswith("No claim has such a gene.")
    verdicts = inputs.verdicts.copy()
    verdicts.loc[0, "circular"] = "ligand VEGFA is a marker of malignant"
    verdicts.loc[2, "circular"] = "receptor SIRPA is a marker of tam"
    sentence = circular_sentence(verdicts)
    assert (
        "2 claims of 6 have such a gene, 1 of them with the verdict supported: C001 (ligand VEGFA "
        "is a marker of malignant) and C003 (receptor SIRPA is a marker of tam)." in sentence
    )


def test_changed_pairs_are_listed(inputs):
    changed = pd.DataFrame(
        [("add", "CSF1", "CSF1R"), ("drop", "BMP1", "BMPR2")],
        columns=["action", "ligand", "receptor"],
    )
    sentence = resource_sentence(inputs.provenance, changed)
    assert "17 added and 2 dropped" in sentence
    assert sentence.endswith("Added: CSF1^CSF1R. Dropped: BMP1^BMPR2.")


def test_repeated_and_reversed_pairs_are_told(inputs):
    turned = [{"removed": "SIRPA^CD47", "kept": "CD47^SIRPA", "reason": "x"}]
    resource = inputs.provenance["resource"] | {
        "name": "my_pairs.tsv", "kind": "file", "duplicates": 2, "reversed": turned,
        "file_sha256": "fe12",
    }  # fmt: skip
    provenance = inputs.provenance | {"resource": resource}
    sentence = resource_sentence(provenance, None)
    assert "changed in the resource from the file my_pairs.tsv: 17 added and 2 dropped" in sentence
    assert "2 repeated pairs counted once." in sentence
    assert "1 binding listed in both directions, as A^B and B^A, was kept in one: CD47^SIRPA (" in (
        sentence
    )
    many = provenance | {"resource": resource | {"reversed": turned * 23}}
    assert "23 bindings" in resource_sentence(many, None)
    assert "CD47^SIRPA and 3 more (" in resource_sentence(many, None)
    methods = _interactions({"interactions": {"resource": "/folder/my_pairs.tsv"}}, provenance)
    assert (
        "Pairs of the file my_pairs.tsv (4700 pairs; 17 added by osteotalk; 2 dropped; 2 repeated; "
        "1 listed in both directions, kept in one)" in methods
    )
    facts = dict(_facts(provenance))
    assert facts["pairs repeated"] == "2"
    assert facts["pairs that are the reverse of another"] == "1"
    assert facts["file of pairs, sha256"] == "fe12"


def test_index_says_what_it_cannot(inputs):
    html = inputs.html()
    for sentence in (
        "RNA is not protein",
        "only where a sample has reference cells and the tumour has changes of whole",
        "count as tumour cells in scores and claims all the same",
        "The full text of the review was not available",
        "3 of 7 rest on general biology",
        "To stand out from decoys is to be unusual, not to be true.",
        "Contrasts rest on a handful of patients",
        "A correlation over patients is not signalling",
    ):
        assert sentence in html
