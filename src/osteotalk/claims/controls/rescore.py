"""Score a cohort again; apart, so that only what scores depends on the scoring code."""

from collections.abc import Iterable, Iterator

from anndata import AnnData

from osteotalk.claims.measures.samples import SampleData
from osteotalk.claims.run import Basis
from osteotalk.interactions.scoring import score_sample


def rescored(basis: Basis, samples: Iterable[AnnData]) -> Iterator[SampleData]:
    """Score samples with the settings of a cohort."""
    for adata in samples:
        table = score_sample(
            adata, resource=basis.resource, settings=basis.scoring, seed=basis.settings.seed
        )
        yield SampleData(adata, table)
