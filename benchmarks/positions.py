"""How far the packaged positions of genes, of GRCh37, agree with a GTF of GRCh38.

Run from the repository: python benchmarks/positions.py GTF

Copy number uses the chromosome of a gene, its arm and the order of genes, never the coordinates
themselves. Genes are compared by symbol, with the previous ones of config/gene_symbols.tsv renewed.
"""

import sys
from pathlib import Path

from scipy.stats import spearmanr

from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.ingest.gtf import arms, read_gtf
from osteotalk.ingest.packaged import packaged_name, packaged_positions

SYMBOLS = Path(__file__).resolve().parents[1] / "config" / "gene_symbols.tsv"
FEWEST = 20  # genes of a chromosome whose order is compared


def main(gtf: str) -> None:
    """Print the shares of genes on the same chromosome and arm, and how alike their order is."""
    symbols = read_symbols(SYMBOLS)
    old, new = (
        genes.drop_duplicates("gene").set_index("gene")
        for genes in (packaged_positions(symbols=symbols), read_gtf(gtf, symbols=symbols))
    )
    shared = old.index.intersection(new.index)
    print(f"{packaged_name()}: {len(old):,} genes; {len(shared):,} of them are in {gtf}")
    old, new = old.loc[shared], new.loc[shared]
    chromosome = old["chromosome"] == new["chromosome"]
    was, now = (arms(genes["chromosome"], genes["start"]) for genes in (old, new))
    print(f"  same chromosome: {chromosome.sum():,} ({chromosome.mean():.2%})")
    print(f"  same arm: {(was == now).sum():,} ({(was == now).mean():.2%})")
    others = [f"{gene} {was[i]} {now[i]}" for i, gene in enumerate(shared) if was[i] != now[i]]
    print("  others:", ", ".join(others))
    order = {
        name: spearmanr(old.loc[rows, "start"], new.loc[rows, "start"]).statistic
        for name, rows in new[chromosome].groupby("chromosome").groups.items()
        if len(rows) >= FEWEST
    }
    least = min(order, key=order.__getitem__)
    print(f"  order within a chromosome, Spearman's rho: least {order[least]:.4f} ({least})")


if __name__ == "__main__":
    main(sys.argv[1])
