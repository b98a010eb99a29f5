"""The part of the methods on claims: support, contrasts, decoys, combination, calibration."""

from osteotalk.claims.controls.decoys import CALIPER, CELL_CALIPER, MIN_POOL
from osteotalk.claims.measures.contrasts import MIN_CORRELATED, MOST_RELABELLINGS
from osteotalk.claims.measures.programmes import MIN_GENES
from osteotalk.report.words.method_words import Settings, clause, joined, version
from osteotalk.report.words.text import count, enumerate_words


def claim_paragraphs(config: Settings, provenance: Settings) -> tuple[str, ...]:
    """Paragraphs on claims, in the order of the work.

    Parameters
    ----------
    config
        Merged config. A key that is absent takes its clause with it.
    provenance
        With the versions of the packages.
    """
    return (
        _plain(config, provenance),
        _contrasts(config),
        _decoys(config),
        _combination(config),
        _calibration(config),
    )


def _plain(config: Settings, provenance: Settings) -> str:
    decoupler = f"{version(provenance, 'decoupler')} (doi:10.1093/bioadv/vbac016)"
    least = clause(config, "claims.min_patients", " With fewer than {} informative patients there "
                   "is no verdict.")  # fmt: skip
    return (
        "Plain claims. Several samples of a patient count once. Support is the share of "
        "informative patients in whom the claim is active, with a 95 % Wilson interval "
        "(doi:10.1080/01621459.1927.10502953). An interaction is active in a sample if one of its "
        "edges is. A claim on genes or on a gene programme is active if the cells of its "
        "populations are above those compared with (one-sided Mann-Whitney test, "
        "doi:10.1214/aoms/1177730491, corrected over all such tests of the sample) and each gene "
        "is detected in enough of them; a claim on the share of a population, if the share is "
        "above that of an equal split (exact binomial test). Programmes are weighted means of "
        f"log1p expression, computed with the method waggr of {decoupler}, of at least "
        f"{MIN_GENES} measured genes; genes and their sources are in config/signatures.tsv.{least}"
    )


def _contrasts(config: Settings) -> str:
    limit = joined(clause(config, "claims.max_direction_p", "one-sided p at most {}"))
    return (
        "Contrasts. Each patient has one value: the level of the interaction (geometric mean of "
        "the means of ligand and receptor), of the genes or of the programme, or the logit of a "
        "share. Conditions are compared by the difference of the means with Welch's interval "
        "(doi:10.1093/biomet/34.1-2.28) and a permutation test over patients. A patient with both "
        "conditions is compared with itself: its difference keeps or changes its sign in the test "
        "(Student's interval). Pairs and the other patients go into one difference, weighted by "
        "their numbers, and are relabelled each in their own way; pairs that are too few for a "
        "verdict, or groups, are left out and counted. Where even a perfect separation could not "
        "pass, the claim is not testable. Correlations are Spearman's rho over patients, at least "
        f"{MIN_CORRELATED} of them, with the interval of Bonett and Wright "
        "(doi:10.1007/BF02294183) and a permutation test. The tests are exact up to "
        f"{count(MOST_RELABELLINGS)} relabellings and drawn beyond; the direction is one-sided, "
        f"as the claim states it{limit}. The response check is such a correlation between the "
        "level of an interaction and a programme in its receivers, and takes no part in a verdict."
    )


def _decoys(config: Settings) -> str:
    size = joined(
        clause(config, "claims.n_decoys", "up to {} per claim"),
        clause(config, "claims.decoy_pool", "from the {} nearest candidates of each pair or gene"),
    )
    rules = [
        clause(config, "claims.min_support", "a support of at least {}"),
        clause(config, "claims.max_decoy_q", "a decoy q of at most {}"),
        clause(config, "claims.max_population_p", "of interactions a population p of at most {}"),
    ]
    present = [rule for rule in rules if rule]
    needs = f" 'Supported' needs {enumerate_words(present)}." if present else ""
    return (
        "Decoys. Pair decoys keep the populations of an interaction and put other pairs in place "
        "of its own, which no claim names and whose ligand and receptor are each detected in a "
        f"share of the cohort's cells within a factor of {CALIPER:g}; where pairs of a claim share "
        "a ligand or a receptor, so do those of its decoys. Claims on genes have genes of such a "
        "detection as decoys, programmes sets of them matched gene by gene, shares of "
        f"cells other populations{size}. Population decoys keep the pairs and put other "
        "populations in place of the claim's, as many on each side and with cells within a factor "
        f"of {CELL_CALIPER:g}. With fewer than {MIN_POOL} candidates of a kind there are none. A "
        "plain interaction is compared by NATMI's specificity weight "
        "(doi:10.1038/s41467-020-18873-z), averaged over patients: with other pairs by the "
        "strongest edge of each pair, with other populations by the mean over the edges; a "
        "contrast by its difference or correlation. The p-value is the share of decoys at least "
        "as strong, the claim counted among them (doi:10.2202/1544-6115.1585). That against "
        "matched decoys is corrected over the claims of a cohort (Benjamini-Hochberg)." + needs
    )


def _combination(config: Settings) -> str:
    least = joined(clause(config, "claims.min_patients", "those with at least {} patients"))
    return (
        "Cohorts. They are combined only if their patients are different. Patients are added up; "
        f"p-values of cohorts{least} are combined by Stouffer's method, weighted by the square "
        "root of the patients (doi:10.1111/j.1420-9101.2005.00917.x); effects by a random-effects "
        "model with the interval of Hartung and Knapp (doi:10.1002/sim.1009), correlations on "
        "Fisher's scale, and I² tells how much of their spread is between cohorts "
        "(doi:10.1002/sim.1186). The same rules then give the verdict."
    )


def _calibration(config: Settings) -> str:
    runs = joined(
        clause(config, "claims.n_decoy_tables", "{} decoys of every claim"),
        clause(config, "claims.n_shuffles", "{} shuffles"),
    )
    return (
        "Calibration. Where it was run, decoys were put through the same tests as if they were "
        "claims, and the claims were tested after populations had been shuffled between the cells "
        f"of each sample and conditions between the patients{runs}. Rates have Wilson intervals, "
        "ratios of rates score intervals."
    )
