"""Ways to align the samples of a cohort: one function per method, and a check that it can run."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:  # the config is checked without it, in every run
    from anndata import AnnData

NONE = "none"
# Import name and name for pip of what each method needs.
PACKAGES = {
    "harmony": ("harmonypy", "harmonypy"),
    "scanorama": ("scanorama", "scanorama"),
    "scvi": ("scvi", "scvi-tools"),
}
METHODS = (NONE, *PACKAGES)
# Rows that Scanorama corrects at a time; it bounds the memory and does not change the result.
BATCH = 1000


class MethodError(ValueError):
    """A method of alignment is unknown, or its package is not installed."""


def need_method(method: str) -> None:
    """Check that a method of alignment can run here, before any long work.

    Raises
    ------
    MethodError
        If the method is not known, or its package is not installed.
    """
    if method not in METHODS:
        msg = f"integration.method '{method}' is not known; choose one of {', '.join(METHODS)}"
        raise MethodError(msg)
    if method == NONE:
        return
    module, package = PACKAGES[method]
    if find_spec(module) is None:
        msg = (
            f"integration.method is '{method}' in the config, which needs the Python package "
            f"{package}, and that is not installed here. Install it (pip install {package}), or "
            "choose harmony or none"
        )
        raise MethodError(msg)


def method_version(method: str) -> dict[str, str]:
    """Give the package of a method with its version; empty for none."""
    if method == NONE:
        return {}
    package = PACKAGES[method][1]
    try:
        return {package: version(package)}
    except PackageNotFoundError:
        return {package: "unknown"}


def align(adata: "AnnData", *, method: str, seed: int) -> np.ndarray:
    """Coordinates of the cells in which the samples are aligned.

    Parameters
    ----------
    adata
        Cells of at least two samples, those of a sample next to each other; ``obs["sample"]``,
        ``obsm["X_pca"]``, ``layers["counts"]`` and ``var["highly_variable"]``. Not changed.
    method
        One of `METHODS` but none.
    seed
        Seed of the method.

    Returns
    -------
    Cells x components, float32; as many components as ``X_pca`` has.

    References
    ----------
    Korsunsky et al. 2019, Nat. Methods 16, 1289, doi:10.1038/s41592-019-0619-0 (Harmony).
    Hie et al. 2019, Nat. Biotechnol. 37, 685, doi:10.1038/s41587-019-0113-3 (Scanorama).
    Lopez et al. 2018, Nat. Methods 15, 1053, doi:10.1038/s41592-018-0229-2 (scVI).
    """
    need_method(method)
    if method == "harmony":
        space = _harmony(adata, seed=seed)
    elif method == "scanorama":
        space = _scanorama(adata)
    elif method == "scvi":
        space = _scvi(adata, seed=seed)
    else:
        msg = f"method '{method}' aligns nothing"
        raise MethodError(msg)
    return np.asarray(space, dtype=np.float32)


def _harmony(adata: "AnnData", *, seed: int) -> np.ndarray:
    import harmonypy

    start = np.asarray(adata.obsm["X_pca"], dtype=np.float64)
    result = harmonypy.run_harmony(
        start, adata.obs[["sample"]], "sample", random_state=seed, ncores=1, verbose=False
    )
    aligned = np.asarray(result.Z_corr)
    # harmonypy gave components x cells before 2.0, and cells x components since
    return aligned if aligned.shape == start.shape else aligned.T


def _scanorama(adata: "AnnData") -> np.ndarray:
    """Scanorama on the principal components, with exact neighbours.

    Its default, approximate neighbours, depends on the number of threads.
    """
    import scanorama

    start = np.asarray(adata.obsm["X_pca"], dtype=np.float64)
    sample = adata.obs["sample"].astype(str).to_numpy()
    parts = [start[sample == name] for name in pd.unique(sample)]
    aligned = scanorama.assemble(parts, approx=False, batch_size=BATCH, verbose=0)
    result = np.empty_like(start)
    for name, part in zip(pd.unique(sample), aligned, strict=True):
        result[sample == name] = part
    return result


def _scvi(adata: "AnnData", *, seed: int) -> np.ndarray:
    """Train scVI on the counts of the variable genes, on the processor alone."""
    import anndata
    import scvi

    scvi.settings.seed = seed
    chosen = adata[:, adata.var["highly_variable"].to_numpy()]
    counts = anndata.AnnData(chosen.layers["counts"].copy(), obs=chosen.obs[["sample"]].copy())
    scvi.model.SCVI.setup_anndata(counts, batch_key="sample")
    model = scvi.model.SCVI(counts, n_latent=adata.obsm["X_pca"].shape[1])
    model.train(accelerator="cpu", enable_progress_bar=False)
    return np.asarray(model.get_latent_representation())
