"""Standing text of the report: how to read it, and what it cannot say."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.report.words.text import (
    VERDICTS,
    count,
    enumerate_words,
    number,
    number_setting,
    plural,
    setting,
    significant,
    words,
)

_SHOWN = 20  # pairs of a list in a sentence
QUESTION = (
    "Reviews of osteosarcoma describe how tumour cells, vessels, stroma, immune cells and "
    "osteoclasts talk to one another. For each such statement, this report asks whether "
    "single-cell RNA data bear it out, patient by patient, and shows as plainly where they do "
    "not or cannot."
)
REVIEW = (
    "The statements follow the topics of the review Cell-Cell Interactome-Based Pathogenesis and "
    "Therapies for Osteosarcoma (doi:10.3390/cells15060570)."
)
TIERS = {
    "A": "abstract of an osteosarcoma primary study read",
    "B": "osteosarcoma, but a review, a network name or only a part of the claim",
    "C": "general biology or another cancer",
    "D": "general knowledge, unverified",
}


def thresholds(parameters: Mapping[str, object]) -> dict[str, str]:
    """Thresholds of the verdicts as words, from the merged config."""
    return {
        "min_patients": significant(number_setting(parameters, "claims.min_patients", 3)),
        "min_support": significant(number_setting(parameters, "claims.min_support", 0.5)),
        "max_decoy_q": significant(number_setting(parameters, "claims.max_decoy_q", 0.05)),
        "max_direction_p": significant(number_setting(parameters, "claims.max_direction_p", 0.05)),
        "max_population_p": significant(
            number_setting(parameters, "claims.max_population_p", 0.05)
        ),
    }


def verdict_definitions(parameters: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Each verdict with its meaning under the thresholds in use."""
    limits = thresholds(parameters)
    return tuple((f"{look.symbol} {look.name}", look.meaning.format(**limits)) for look in VERDICTS)


def term_definitions(parameters: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Define the other words of the tables."""
    cells = words(setting(parameters, "interactions.min_cells")) or "enough"
    share = words(setting(parameters, "interactions.expr_prop")) or "a set share"
    alpha = words(setting(parameters, "interactions.alpha")) or "the chosen level"
    return (
        ("Edge", "Source population, target population, ligand and receptor."),
        (
            "Informative patient",
            f"Has a sample with at least {cells} cells of both populations of an edge, or of those "
            "that a claim on genes compares, all genes being measured. Other patients say nothing.",
        ),
        (
            "Active",
            f"Ligand and receptor are each detected in at least {share} of their population, and "
            f"the specificity q in the sample is at most {alpha}. A claim is active in a patient "
            "if at least one of its edges is. Activity is lenient: one strongly expressed side "
            "can be enough. That is why decoys are run. A claim on genes or on a programme is "
            "active where its cells are above those compared with in the sample, one on a share "
            "of cells where that is above an equal split.",
        ),
        (
            "Support",
            "Active patients of informative patients, with a 95 % Wilson interval. '5 of 7 "
            "patients (0.36–0.92)' means that the true share may well be a third or nine tenths. "
            "The unit is the patient; cells and samples are never counted as replicates.",
        ),
        (
            "p and q within a sample",
            "From shuffling cell labels inside one sample. They measure specificity, how far the "
            "pair is concentrated in these populations of this sample. They are not evidence "
            "that a signal passes, nor of significance across patients.",
        ),
        *_test_terms(),
    )


def _test_terms() -> tuple[tuple[str, str], ...]:
    """Define the words on claims, their controls and where they come from."""
    tiers = "; ".join(f"{tier}: {meaning}" for tier, meaning in TIERS.items())
    return (
        (
            "Plain claim and contrast",
            "A plain claim says that something is there, and is tested within each patient. A "
            "contrast compares patients: those of one condition with those of another, or patient "
            "by patient along another quantity. It needs more patients, and states a direction.",
        ),
        (
            "Kind",
            "Interaction: a ligand-receptor pair between populations. Expression: genes in a "
            "population. Signature: a gene programme in a population. Composition: the share of a "
            "population among cells.",
        ),
        (
            "Decoys",
            "Stand-ins that look like a claim in everything but the claim. Matched decoys are "
            "other pairs, genes or gene sets that as many cells show, in the same populations; "
            "population decoys are the same pairs between other populations of similar size. p "
            "is the share of them that do at least as well.",
        ),
        (
            "Decoy q and population p",
            "Decoy q is the p against matched decoys, corrected over all claims of the cohort; "
            "population p is that against population decoys. Low means that the claim stands out. "
            "An interaction has to stand out from both.",
        ),
        (
            "Effect",
            "Of a plain claim: its value (of interactions the source's share of the ligand times "
            "the target's share of the receptor, 0 to 1) less that of its decoys, averaged over "
            "patients. Of a contrast: the difference between the groups, or Spearman's rho.",
        ),
        (
            "Response check",
            "Whether a gene programme that the signal should switch on is higher in the receivers "
            "of patients in whom the pair is stronger. Both may follow a third thing, and other "
            "signals switch the same programme on: it supports at most and never proves "
            "signalling. No verdict depends on it.",
        ),
        (
            "I²",
            "Share of the spread of an effect over cohorts that is not chance within them: 0 is "
            "agreement, above one half the cohorts differ. With two or three cohorts it is vague.",
        ),
        (
            "Evidence tier",
            "How far the source of the statement itself was checked, before any data of this "
            f"report: {tiers}. A high tier does not make a verdict, nor a verdict a tier.",
        ),
    )


def limits_text(*, claims: pd.DataFrame, circular: str, resource: str) -> tuple[str, ...]:
    """List what the report cannot say.

    Parameters
    ----------
    claims
        Table of claims.
    circular
        Sentence on genes that both name a population and belong to a claim.
    resource
        Sentence on pairs added to the resource or dropped from it.
    """
    tiers = claims["evidence_tier"].map(words) if "evidence_tier" in claims else pd.Series()
    weak = int(tiers.isin(["C", "D"]).sum())
    return (
        "RNA is not protein. A transcript in the right cell is neither a secreted ligand nor an "
        "occupied receptor; cleavage, transport, matrix storage, vesicles and metabolites are "
        "not seen.",
        "Cells of a dissociated sample have lost their place: two populations of one sample need "
        "not have been neighbours.",
        "Populations are named by marker genes. Copy number, inferred from expression, tells "
        "tumour cells from normal ones only where a sample has reference cells and the tumour has "
        "changes of whole chromosome arms. Cells of a malignant population whose copy number does "
        "not tell count as tumour cells in scores and claims all the same; the page of a cohort "
        "has their number. Ambient RNA may put a gene into cells that do not make it.",
        "The full text of the review was not available. The claims are operational statements "
        "made from its index of genes and drugs and from the literature; no verdict says that "
        "the review is right or wrong.",
        f"The statements differ in how well they are founded: {weak} of {len(claims)} rest on "
        "general biology, other cancers or unverified knowledge (tiers C and D).",
        circular,
        resource,
        "Decoys are matched in how many cells show a gene and in numbers of cells. They cannot "
        "exclude what a claim shares with no decoy: genes that are regulated together, a "
        "population that shows many genes at once, doublets and ambient RNA that carry a "
        "population's own genes into its neighbours, or populations that were named by the very "
        "gene. To stand out from decoys is to be unusual, not to be true.",
        "Contrasts rest on a handful of patients in one cohort, who differ in more than the "
        "condition: age, treatment, site and dissociation are not adjusted for. A difference that "
        "is not found may well be there.",
        "A correlation over patients is not signalling, nor is a programme that rises with a "
        "pair. Both may follow the share of tumour cells, the depth of sequencing or the tissue.",
        "Drugs are named because they address the axis. Nothing here says that one works.",
        "Few patients give wide intervals. 'Not testable', 'inconclusive' and 'partly' often mean "
        "just that.",
    )


def circular_sentence(verdicts: pd.DataFrame) -> str:
    """Say which claims expect a gene in the population that it names."""
    opening = (
        "Where a gene that names a population is also the ligand, the receptor or another gene "
        "that a claim expects in it, the claim is partly true by construction."
    )
    flagged = verdicts[verdicts["circular"].map(words) != ""]
    if flagged.empty:
        return f"{opening} No claim has such a gene."
    listed = [f"{row['claim_id']} ({row['circular']})" for row in flagged.to_dict("records")]
    supported = int((flagged["verdict"] == "supported").sum())
    return (
        f"{opening} {plural(len(flagged), 'claim')} of {count(len(verdicts))} "
        f"{'has' if len(flagged) == 1 else 'have'} such a gene, {count(supported)} of them with "
        f"the verdict supported: {enumerate_words(listed)}."
    )


def resource_sentence(provenance: Mapping[str, object], interactions: pd.DataFrame | None) -> str:
    """Tell what was changed in the resource of pairs."""
    name = words(setting(provenance, "resource.name")) or "of LIANA"
    if setting(provenance, "resource.kind") == "file":
        name = f"from the file {name}"
    added, dropped = (words(setting(provenance, f"resource.{k}")) for k in ("added", "dropped"))
    if not added and not dropped:
        head = f"The resource {name} may have had pairs added or dropped; see the provenance."
    else:
        head = (
            f"Pairs were changed in the resource {name}: {added or 'none'} added and "
            f"{dropped or 'none'} dropped by osteotalk, each with its reason in "
            "config/interactions.tsv. A pair that is in neither is not tested."
        )
    if number(setting(provenance, "resource.duplicates")) > 0:
        repeated = setting(provenance, "resource.duplicates")
        head += f" {plural(repeated, 'repeated pair')} counted once."
    turned = setting(provenance, "resource.reversed")
    if isinstance(turned, list) and turned:
        listed = ", ".join(words(pair["kept"]) for pair in turned[:_SHOWN])
        more = f" and {len(turned) - _SHOWN} more" if len(turned) > _SHOWN else ""
        head += (
            f" {plural(len(turned), 'binding')} listed in both directions, as A^B and B^A, "
            f"{'was' if len(turned) == 1 else 'were'} kept in one: {listed}{more} "
            "(results/resource.json has the reasons)."
        )
    if interactions is None or interactions.empty:
        return head
    pairs = interactions["ligand"].astype(str) + "^" + interactions["receptor"].astype(str)
    parts = [
        f"{past}: {', '.join(pairs[interactions['action'] == action])}"
        for action, past in (("add", "Added"), ("drop", "Dropped"))
        if (interactions["action"] == action).any()
    ]
    return " ".join([head, *[f"{part}." for part in parts]])
