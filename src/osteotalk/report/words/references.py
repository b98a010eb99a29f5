"""The list of works that the methods cite."""

import re
from collections.abc import Sequence

_CITED = re.compile(r"doi:(10\.\d{4,9}/[^\s,;]+)|(arXiv:\d{4}\.\d{4,5})")
# By DOI or arXiv id, in the form: authors (year) title, journal.
WORKS = {
    "10.1002/sim.1009": "Hartung and Knapp (2001) A refined method for the meta-analysis of "
    "controlled clinical trials with binary outcome, Statistics in Medicine",
    "10.1002/sim.1186": "Higgins and Thompson (2002) Quantifying heterogeneity in a "
    "meta-analysis, Statistics in Medicine",
    "10.1007/BF02294183": "Bonett and Wright (2000) Sample size requirements for estimating "
    "Pearson, Kendall and Spearman correlations, Psychometrika",
    "10.1016/j.cels.2018.11.005": "Wolock, Lopez and Klein (2019) Scrublet: computational "
    "identification of cell doublets in single-cell transcriptomic data, Cell Systems",
    "10.12688/f1000research.73600.1": "Germain et al. (2021) Doublet identification in "
    "single-cell sequencing data using scDblFinder, F1000Research",
    "10.1038/s41467-020-18873-z": "Hou et al. (2020) Predicting cell-to-cell communication "
    "networks using NATMI, Nature Communications",
    "10.1038/s41467-021-21246-9": "Jin et al. (2021) Inference and analysis of cell-cell "
    "communication using CellChat, Nature Communications",
    "10.1038/s41467-022-30755-0": "Dimitrov et al. (2022) Comparison of methods and resources for "
    "cell-cell communication inference from single-cell RNA-Seq data, Nature Communications",
    "10.1038/s41587-019-0113-3": "Hie, Bryson and Berger (2019) Efficient integration of "
    "heterogeneous single-cell transcriptomes using Scanorama, Nature Biotechnology",
    "10.1038/s41592-018-0229-2": "Lopez et al. (2018) Deep generative modeling for single-cell "
    "transcriptomics, Nature Methods",
    "10.1038/s41592-019-0619-0": "Korsunsky et al. (2019) Fast, sensitive and accurate "
    "integration of single-cell data with Harmony, Nature Methods",
    "10.1038/s41592-021-01336-8": "Luecken et al. (2022) Benchmarking atlas-level data "
    "integration in single-cell genomics, Nature Methods",
    "10.1038/s41592-021-01358-2": "Palla et al. (2022) Squidpy: a scalable framework for spatial "
    "omics analysis, Nature Methods",
    "10.1038/s41596-020-0292-x": "Efremova et al. (2020) CellPhoneDB: inferring cell-cell "
    "communication from combined expression of multi-subunit ligand-receptor complexes, Nature "
    "Protocols",
    "10.1038/s41598-019-41695-z": "Traag, Waltman and van Eck (2019) From Louvain to Leiden: "
    "guaranteeing well-connected communities, Scientific Reports",
    "10.1038/s41598-022-07959-x": "Raredon et al. (2022) Computation and visualization of "
    "cell-cell signaling topologies in single-cell systems data using Connectome, Scientific "
    "Reports",
    "10.1080/01621459.1927.10502953": "Wilson (1927) Probable inference, the law of succession, "
    "and statistical inference, Journal of the American Statistical Association",
    "10.1093/bioadv/vbac016": "Badia-i-Mompel et al. (2022) decoupleR: ensemble of computational "
    "methods to infer biological activities from omics data, Bioinformatics Advances",
    "10.1093/bioinformatics/btr709": "Kolde et al. (2012) Robust rank aggregation for gene list "
    "integration and meta-analysis, Bioinformatics",
    "10.1093/biomet/34.1-2.28": "Welch (1947) The generalization of 'Student's' problem when "
    "several different population variances are involved, Biometrika",
    "10.1093/biomet/73.2.307": "Barndorff-Nielsen (1986) Inference on full or partial parameters "
    "based on the standardized signed log likelihood ratio, Biometrika",
    "10.1093/gigascience/giaa151": "Young and Behjati (2020) SoupX removes ambient RNA "
    "contamination from droplet-based single-cell RNA sequencing data, GigaScience",
    "10.1093/nar/gkaa183": "Cabello-Aguilar et al. (2020) SingleCellSignalR: inference of "
    "intercellular networks from single-cell transcriptomics, Nucleic Acids Research",
    "10.1109/42.906424": "Zhang, Brady and Smith (2001) Segmentation of brain MR images through a "
    "hidden Markov random field model and the expectation-maximization algorithm, IEEE "
    "Transactions on Medical Imaging",
    "10.1111/j.1420-9101.2005.00917.x": "Whitlock (2005) Combining probability from independent "
    "tests: the weighted Z-method is superior to Fisher's approach, Journal of Evolutionary "
    "Biology",
    "10.1111/j.2517-6161.1995.tb02031.x": "Benjamini and Hochberg (1995) Controlling the false "
    "discovery rate, Journal of the Royal Statistical Society B",
    "10.1126/science.1254257": "Patel et al. (2014) Single-cell RNA-seq highlights intratumoral "
    "heterogeneity in primary glioblastoma, Science",
    "10.1126/science.aad0501": "Tirosh et al. (2016) Dissecting the multicellular ecosystem of "
    "metastatic melanoma by single-cell RNA-seq, Science",
    "10.1126/science.abl5197": "Domínguez Conde et al. (2022) Cross-tissue immune cell analysis "
    "reveals tissue-specific features in humans, Science",
    "10.1186/s13059-017-1382-0": "Wolf, Angerer and Theis (2018) SCANPY: large-scale single-cell "
    "gene expression data analysis, Genome Biology",
    "10.1214/aoms/1177730491": "Mann and Whitney (1947) On a test of whether one of two random "
    "variables is stochastically larger than the other, Annals of Mathematical Statistics",
    "10.12688/f1000research.29032.2": "Mölder et al. (2021) Sustainable data analysis with "
    "Snakemake, F1000Research",
    "10.21105/joss.04371": "Virshup et al. (2024) anndata: access and store annotated data "
    "matrices, Journal of Open Source Software",
    "10.2202/1544-6115.1585": "Phipson and Smyth (2010) Permutation p-values should never be "
    "zero, Statistical Applications in Genetics and Molecular Biology",
    "10.2307/3214212": "Skovgaard (1987) Saddlepoint expansions for conditional distributions, "
    "Journal of Applied Probability",
    "10.3390/cells15060570": "Cell-Cell Interactome-Based Pathogenesis and Therapies for "
    "Osteosarcoma (2026), Cells",
    "arXiv:1802.03426": "McInnes, Healy and Melville (2018) UMAP: uniform manifold approximation "
    "and projection for dimension reduction, arXiv",
}


def cited(text: Sequence[str]) -> list[str]:
    """DOIs and arXiv ids of some paragraphs, each once, in order of appearance."""
    found: dict[str, None] = {}
    for paragraph in text:
        for doi, arxiv in _CITED.findall(paragraph):
            name = (doi or arxiv).rstrip(".")
            while name.endswith(")") and name.count(")") > name.count("("):
                name = name[:-1].rstrip(".")
            found[name] = None
    return list(found)
