"""The methods paragraph: one sentence per step that ran, with its settings, versions and sources.

Plain text. ``doi:10.x`` and ``arXiv:n`` become links when the page is rendered.
"""

from collections.abc import Mapping

import pandas as pd

from osteotalk.report.text import enumerate_words, plural, setting, words

Settings = Mapping[str, object]


def methods_text(
    *, parameters: Settings, provenance: Settings, datasets: pd.DataFrame, samples: pd.DataFrame
) -> tuple[str, ...]:
    """Methods of the analysis as paragraphs.

    Parameters
    ----------
    parameters
        Merged config. A key that is absent takes its clause with it.
    provenance
        Versions, resource and digests, as in ``provenance.json``.
    datasets, samples
        Rows of the analysed cohorts.

    Returns
    -------
    Paragraphs: cohorts, cells, populations, interactions, claims, software.
    """
    return (
        _cohorts(parameters, datasets, samples),
        _cells(parameters, provenance),
        _populations(parameters, provenance),
        _interactions(parameters, provenance),
        _claims(parameters),
        _software(parameters, provenance),
    )


def clause(config: Settings, path: str, template: str) -> str:
    """Template filled with a setting; empty where the setting is absent."""
    value = setting(config, path)
    return "" if value is None else template.format(value)


def joined(*clauses: str) -> str:
    """Clauses that are there, in brackets and separated by semicolons; empty if none is."""
    present = [part for part in clauses if part]
    return f" ({'; '.join(present)})" if present else ""


def version(provenance: Settings, package: str) -> str:
    """Package with its version, or the name alone where the version is not recorded."""
    packages = provenance.get("packages")
    found = packages.get(package) if isinstance(packages, Mapping) else None
    return f"{package} {found}" if found else package


def _cohorts(config: Settings, datasets: pd.DataFrame, samples: pd.DataFrame) -> str:
    parts = []
    for row in datasets.to_dict("records"):
        own = samples[samples["dataset"].astype(str) == str(row["dataset"])]
        size = (
            f"{plural(own['patient'].nunique(), 'patient')}, "
            f"{plural(own['sample'].nunique(), 'sample')}"
        )
        if words(row.get("source")) == "simulated":
            origin = "simulated by osteotalk with planted interactions, not patients" + joined(
                clause(config, "simulation.cells", "{} droplets"),
                clause(config, "simulation.genes", "{} genes"),
                clause(config, "simulation.seed", "seed {}"),
            )
        else:
            origin = f"doi:{doi}" if (doi := words(row.get("doi"))) else "no DOI given"
        parts.append(f"{words(row.get('title')) or row['dataset']} ({size}; {origin})")
    return f"Cohorts. Analysed: {'; '.join(parts) or 'none'}."


def _cells(config: Settings, provenance: Settings) -> str:
    limits = joined(
        clause(config, "quality_control.n_mads", "{} median absolute deviations"),
        clause(config, "quality_control.min_counts", "at least {} counts"),
        clause(config, "quality_control.min_genes", "at least {} genes"),
        clause(
            config,
            "quality_control.n_mads_mito",
            "mitochondrial share at most {} deviations above the median",
        ),
        clause(config, "quality_control.max_pct_mito", "never above {} %"),
    )
    table = words(setting(config, "genes.symbols")) or "a table that is not recorded"
    text = (
        "Genes. Symbols were brought up to date, by Ensembl id or else from a previous symbol, "
        f"with {table}; rows of one symbol were added up. Cells. Counts were handled with "
        f"{version(provenance, 'anndata')} "
        f"(doi:10.21105/joss.04371) and {version(provenance, 'scanpy')} "
        "(doi:10.1186/s13059-017-1382-0). Droplets were kept sample by sample unless they were "
        f"outliers in log counts, log genes or mitochondrial share{limits}."
    )
    rate = setting(config, "quality_control.doublet_rate")
    called = setting(config, "quality_control.doublets", default=rate is None or rate != 0)
    if not called or rate == 0:
        return text + " Doublets were not called."
    return (
        text + " Doublets were called with Scrublet (doi:10.1016/j.cels.2018.11.005)"
        f"{joined(clause(config, 'quality_control.doublet_rate', 'expected share {}'))}; where "
        "it could not be run, the cohort's page says so."
    )


def _populations(config: Settings, provenance: Settings) -> str:
    chosen = setting(config, "integration.method")
    harmony = setting(config, "integration.harmony", default=chosen in {None, "harmony"})
    pcs = joined(
        clause(config, "integration.n_top_genes", "{} highly variable genes"),
        clause(config, "integration.n_pcs", "{} components"),
    )
    align = (
        "Samples were aligned with Harmony (doi:10.1038/s41592-019-0619-0) where a cohort has "
        "more than one. "
        if harmony
        else "Samples were not aligned. "
    )
    leiden = joined(
        clause(config, "integration.n_neighbors", "{} neighbours"),
        clause(config, "integration.resolution", "resolution {}"),
    )
    rule = joined(
        clause(config, "annotation.min_score", "score at least {}"),
        clause(config, "annotation.min_margin", "lead over the second at least {}"),
        clause(config, "annotation.min_markers", "share of its markers detected at least {}"),
    )
    return (
        "Populations. Counts were scaled to 10,000 per cell, log1p-transformed and reduced by "
        f"principal component analysis{pcs}. {align}Clusters were found with Leiden "
        f"(doi:10.1038/s41598-019-41695-z){leiden}; {version(provenance, 'umap-learn')} "
        "(arXiv:1802.03426) serves display only. A cluster took the population with the highest "
        "marker score, the mean of its markers less that of random genes of the same level "
        f"(doi:10.1126/science.aad0501){rule}; a cluster that fails is unassigned and takes no "
        "part in scoring."
    )


def _interactions(config: Settings, provenance: Settings) -> str:
    resource = setting(config, "interactions.resource") or setting(provenance, "resource.name")
    changed = joined(
        clause(provenance, "resource.pairs", "{} pairs"),
        clause(provenance, "resource.added", "{} added by osteotalk"),
        clause(provenance, "resource.dropped", "{} dropped"),
    )
    rules = joined(
        clause(config, "interactions.min_cells", "at least {} cells in either population"),
        clause(config, "interactions.expr_prop", "each gene detected in at least {} of them"),
        clause(config, "interactions.n_perms", "{} shuffles of the cell labels"),
    )
    alpha = setting(config, "interactions.alpha", default="the chosen level")
    return (
        "Interactions. Pairs of the resource "
        f"{resource or 'given in the provenance'}{changed} were scored in each sample apart with "
        f"{version(provenance, 'liana')} (doi:10.1038/s41467-022-30755-0){rules}; the scores are "
        "those of CellPhoneDB (doi:10.1038/s41596-020-0292-x), NATMI "
        "(doi:10.1038/s41467-020-18873-z) and the others of LIANA, combined by robust rank "
        "aggregation (doi:10.1093/bioinformatics/btr709) over each distinct score once. P-values "
        "come from shuffling cell labels within the sample, corrected within the sample "
        "(Benjamini-Hochberg, doi:10.1111/j.2517-6161.1995.tb02031.x); an edge is active in a "
        f"sample where q is at most {alpha}."
    )


def _claims(config: Settings) -> str:
    decoys = joined(
        clause(config, "claims.n_decoys", "up to {} decoys per claim"),
        clause(config, "claims.decoy_pool", "drawn from the {} nearest pairs"),
    )
    rules = [
        clause(config, "claims.min_patients", "at least {} informative patients"),
        clause(config, "claims.min_support", "a support of at least {}"),
        clause(config, "claims.max_decoy_q", "a decoy q of at most {}"),
    ]
    present = [rule for rule in rules if rule]
    needs = f" 'Supported' needs {enumerate_words(present)}." if present else ""
    return (
        "Claims. Several samples of a patient count once. Support is the share of informative "
        "patients in whom an edge of the claim is active, with a 95 % Wilson interval "
        "(doi:10.1080/01621459.1927.10502953). Decoys keep the populations of the claim and swap "
        f"in pairs of similar detection that no claim names{decoys}; the statistic compared is "
        "NATMI's specificity weight, the highest over the claim's edges, averaged over patients. "
        "Decoy p-values are corrected over the claims of a cohort (Benjamini-Hochberg). Cohorts "
        "are combined only if their patients are different: patients are added up, and decoy "
        f"p-values are combined by Fisher's method.{needs}"
    )


def _software(config: Settings, provenance: Settings) -> str:
    own = words(provenance.get("osteotalk"))
    commit = words(provenance.get("commit"))
    python = words(provenance.get("python"))
    name = f"osteotalk {own}".strip() + (f" (commit {commit})" if commit else "")
    seed = clause(config, "seed", " The seed of random steps is {}.")
    return (
        f"Software. The analysis is the workflow {name}, run by {version(provenance, 'snakemake')} "
        f"(doi:10.12688/f1000research.29032.2){f' on Python {python}' if python else ''}.{seed}"
    )
