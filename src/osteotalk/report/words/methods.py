"""The methods paragraph: one sentence per step that ran, with its settings, versions and sources.

Plain text. ``doi:10.x`` and ``arXiv:n`` become links when the page is rendered.
"""

import pandas as pd

from osteotalk.annotate.clones import MIN_ARMS
from osteotalk.annotate.cnv import MIN_SHIFT, MIN_Z
from osteotalk.annotate.malignancy import PRIVATE
from osteotalk.annotate.malignancy_rules import SURE, SURE_REFERENCE
from osteotalk.annotate.permuted import BY_CHANCE, LEAST_GROUPS, N_PERMS
from osteotalk.interactions.methods import METHODS
from osteotalk.report.words.claim_methods import claim_paragraphs
from osteotalk.report.words.method_words import Settings, clause, joined, version
from osteotalk.report.words.text import enumerate_words, plural, setting, words


def methods_text(
    *,
    parameters: Settings,
    provenance: Settings,
    datasets: pd.DataFrame,
    samples: pd.DataFrame,
    positions: str = "",
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
    positions
        Sentence on where the positions of genes are from.

    Returns
    -------
    Paragraphs: cohorts, cells, populations, interactions, claims, software.
    """
    return (
        _cohorts(parameters, datasets, samples),
        _cells(parameters, provenance),
        _populations(parameters, provenance) + positions,
        _interactions(parameters, provenance),
        *claim_paragraphs(parameters, provenance),
        _software(parameters, provenance),
    )


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
        clause(config, "quality_control.max_pct_mito_nucleus", "in single nuclei {} %"),
    )
    table = words(setting(config, "genes.symbols")) or "a table that is not recorded"
    return (
        "Genes. Symbols were brought up to date, by Ensembl id or else from a previous symbol, "
        f"with {table}; rows of one symbol were added up. Cells. Counts were handled with "
        f"{version(provenance, 'anndata')} "
        f"(doi:10.21105/joss.04371) and {version(provenance, 'scanpy')} "
        "(doi:10.1186/s13059-017-1382-0). Droplets were kept sample by sample unless they were "
        f"outliers in log counts, log genes or mitochondrial share{limits}; samples with limits of "
        f"their own are named on the cohort's page. {_doublets(config)} {_ambient(config)}"
    )


def _doublets(config: Settings) -> str:
    if setting(config, "quality_control.doublets_per_1000") == 0:
        return "Doublets were not called, except where the table of samples gives their share."
    rate = joined(
        clause(
            config,
            "quality_control.doublets_per_1000",
            "expected share {} per 1,000 droplets that hold a cell",
        )
    )
    return (
        f"Doublets were called with Scrublet (doi:10.1016/j.cels.2018.11.005){rate}. Its "
        "threshold was used where it lies in a valley between two modes of the simulated doublets "
        "and calls at most three times the expected share plus 2 %; otherwise as many cells as "
        "expected were called, those with the highest scores. Where Scrublet could not be run, the "
        "cohort's page says so."
    )


def _ambient(config: Settings) -> str:
    done = {
        "subtract": " The expected ambient counts were subtracted cluster by cluster.",
        "report": " Nothing was subtracted.",
    }.get(words(setting(config, "quality_control.ambient")), "")
    return (
        "The share of ambient RNA was estimated with the idea of SoupX "
        "(doi:10.1093/gigascience/giaa151) from genes that some clusters of a sample make and "
        "others do not, as the slope of their level in the latter over their share of the fluid, "
        f"which is that of the empty droplets where the file holds them, else of all cells.{done}"
    )


_ALIGNED = {
    "harmony": ("Harmony", "doi:10.1038/s41592-019-0619-0", "harmonypy"),
    "scanorama": ("Scanorama", "doi:10.1038/s41587-019-0113-3", "scanorama"),
    "scvi": ("scVI", "doi:10.1038/s41592-018-0229-2", "scvi-tools"),
}


def _alignment(config: Settings, provenance: Settings) -> str:
    """Say how the samples were aligned, and how that was measured."""
    chosen = words(setting(config, "integration.method", default="harmony"))
    if chosen in _ALIGNED:
        name, doi, package = _ALIGNED[chosen]
        tool = version(provenance, package)
        how = f"Samples were aligned with {name} ({tool}; {doi}) where a cohort has more than one"
    else:
        how = "Samples were not aligned"
    return (
        f"{how}. How well samples are mixed and cell types kept was measured with the local "
        "inverse Simpson's index (doi:10.1038/s41592-019-0619-0), and with the adjusted Rand index "
        "and normalised mutual information of the joint clusters against clusters of each sample "
        "alone and against the authors' labels where there are any "
        "(doi:10.1038/s41592-021-01336-8), on at most 10,000 cells of a cohort. "
    )


def _populations(config: Settings, provenance: Settings) -> str:
    pcs = joined(
        clause(config, "integration.n_top_genes", "{} highly variable genes"),
        clause(config, "integration.n_pcs", "{} components"),
    )
    leiden = joined(
        clause(config, "integration.n_neighbors", "{} neighbours"),
        clause(config, "integration.resolution", "resolution {}"),
    )
    rule = joined(
        clause(config, "annotation.min_probability", "probability at least {}"),
        clause(
            config,
            "annotation.min_measured",
            "at least {} of its markers measured (one fewer below another)",
        ),
    )
    return (
        "Populations. Counts were scaled to 10,000 per cell, log1p-transformed and reduced by "
        f"principal component analysis{pcs}. {_alignment(config, provenance)}Clusters were found "
        f"with Leiden (doi:10.1038/s41598-019-41695-z){leiden}; "
        f"{version(provenance, 'umap-learn')} (arXiv:1802.03426) serves display only. The "
        "population of a group of cells was named by lists of marker genes: each list is one "
        "witness, by the share of it that is on in the group, under beta-binomial distributions of "
        "that share in cells of the population and in others; it counts as far as its genes vary "
        "together over the groups, and a gene less the more groups of other populations show it. "
        "This gives the probability of each population and of none of them; in a cohort of "
        f"{LEAST_GROUPS} groups or more the lists must say more than in {1 - BY_CHANCE:.0%} of "
        f"{N_PERMS} permutations of all their genes. Groups "
        "whose expression is correlated lean on each other's markers, once, as in a Potts model "
        f"(doi:10.1109/42.906424). A name must be sure enough{rule}. First each "
        "cluster, after parts of it of another lineage were taken out, got a major population; "
        "those that the markers left open were settled by what else their cells express. Then each "
        "cell was compared with the expression "
        "profiles of the named groups: one that fits another lineage better was moved there. At "
        "last the cells of each major population were parted again by their own variable genes and "
        "named finer. What fails at the fine level is named as its parent. What fails at the major "
        "level is unassigned and takes no part in scoring; nor do cells of two lineages at once, "
        "found by linear discriminant analysis trained on sums of two cells "
        "(as in doi:10.1016/j.cels.2018.11.005 and doi:10.12688/f1000research.73600.1). States, "
        "such as cycling, were told cell by cell by the mean of their markers less that of other "
        "genes of a similar level (doi:10.1126/science.aad0501). "
        + _opinions(config, provenance)
        + _malignancy(config, provenance)
    )


def _opinions(config: Settings, provenance: Settings) -> str:
    """Second opinions on the populations, where the config asks for any."""
    model, reference = (
        words(setting(config, f"annotation.{key}")) for key in ("celltypist", "reference")
    )
    tool = f"{version(provenance, 'celltypist')} (doi:10.1126/science.abl5197)"
    asked = [f"{tool} with the model {model}"] if model else []
    asked += [f"labels carried over from the annotated reference {reference}"] if reference else []
    if not asked:
        return ""
    return f"Second opinions, which change nothing: {enumerate_words(asked)}. "


def _malignancy(config: Settings, provenance: Settings) -> str:
    rule = joined(
        clause(config, "malignancy.window", "windows of {} genes"),
        clause(config, "malignancy.min_reference", "at least {} reference cells"),
        clause(config, "malignancy.min_genes", "at least {} genes with a position"),
        f"arms with a median shift of at least {MIN_SHIFT} (log2) and {MIN_Z:g} standard errors",
        f"at least {MIN_ARMS} such arms",
    )
    private = joined(f"a share of at least {PRIVATE} of one patient, all weighted equally")
    return (
        "Tumour cells were told by markers together with copy number, inferred by "
        f"{version(provenance, 'infercnvpy')} (its idea: doi:10.1126/science.1254257) from the "
        "expression of neighbouring genes relative to reference cells of the same sample, "
        "those with cnv_role reference in the table of populations and a probability of at least "
        f"{SURE_REFERENCE} by their markers{rule}; cells that were judged were never among their "
        "own reference. Groups of cells with such arms, parted where the cells differ in them, "
        "make up the clones of the sample. The odds "
        "of tumour by the markers, by the likelihood of a cell's score in the clones against that "
        "in the reference, by the part of its cluster that is tumour and by clusters private to a "
        f"patient{private} were multiplied; a cell is malignant from a probability of {SURE} and "
        f"not malignant up to {1 - SURE:.1f}. Cells whose copy number contradicts their markers "
        "are renamed or unassigned. Where positions, reference cells, or gains and losses are "
        "missing, the call goes by the markers alone, and says so."
    )


def _interactions(config: Settings, provenance: Settings) -> str:
    resource = setting(provenance, "resource.name") or setting(config, "interactions.resource")
    what = "file" if setting(provenance, "resource.kind") == "file" else "resource"
    turned, repeated = setting(provenance, "resource.reversed"), "resource.duplicates"
    changed = joined(
        clause(provenance, "resource.pairs", "{} pairs"),
        clause(provenance, "resource.added", "{} added by osteotalk"),
        clause(provenance, "resource.dropped", "{} dropped"),
        clause(provenance, repeated, "{} repeated") if setting(provenance, repeated) else "",
        f"{len(turned)} listed in both directions, kept in one"
        if isinstance(turned, list) and turned
        else "",
    )
    rules = joined(
        clause(config, "interactions.min_cells", "at least {} cells in either population"),
        clause(config, "interactions.expr_prop", "each gene detected in at least {} of them"),
    )
    alpha = setting(config, "interactions.alpha", default="the chosen level")
    return (
        f"Interactions. Pairs of the {what} "
        f"{resource or 'given in the provenance'}{changed} were scored in each sample apart "
        f"{_engine(config, provenance)}{rules}; the scores are those of {_methods(config)}, "
        f"combined by {_consensus(config)} over each distinct score once. {_null(config)} They are "
        "corrected within the sample (Benjamini-Hochberg, "
        "doi:10.1111/j.2517-6161.1995.tb02031.x); an edge is active in a sample where q is at most "
        f"{alpha}."
    )


def _engine(config: Settings, provenance: Settings) -> str:
    liana = f"{version(provenance, 'liana')} (doi:10.1038/s41467-022-30755-0)"
    if setting(config, "interactions.engine") == "liana":
        return f"with {liana}"
    return f"with osteotalk's own code, which is tested to give the numbers of {liana}"


def _methods(config: Settings) -> str:
    names = setting(config, "interactions.methods")
    chosen = [METHODS[name] for name in names if name in METHODS] if isinstance(names, list) else []
    return enumerate_words([f"{m.title} (doi:{m.reference})" for m in chosen]) or "LIANA"


def _consensus(config: Settings) -> str:
    if setting(config, "interactions.consensus") == "mean":
        return "their mean rank"
    return "robust rank aggregation (doi:10.1093/bioinformatics/btr709)"


def _null(config: Settings) -> str:
    if setting(config, "interactions.null") == "permutation":
        drawn = clause(config, "interactions.n_perms", "{} shuffles of the cell labels")
        return f"P-values come from {drawn or 'shuffles of the cell labels'} within the sample."
    return (
        "P-values are those of shuffling the cell labels within the sample, computed by a "
        "saddlepoint approximation (doi:10.2307/3214212, doi:10.1093/biomet/73.2.307); where that "
        "is not exact enough to decide, labels are dealt to its expressing cells (at most 50,000 "
        "times)."
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
