"""Read and write the files that pass between stages.

Everything is written through `osteotalk.files`, which never leaves half of a file.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from anndata import AnnData, read_h5ad
from anndata.io import read_elem, sparse_dataset
from scipy import sparse

from osteotalk import contract, contract_checks, files
from osteotalk.files import atomic_path, write_json, write_text
from osteotalk.ingest.hdf5 import refuse_ways_out
from osteotalk.integrity import check_metadata, check_owner, damaged, owner_metadata, whole
from osteotalk.measured import KEY, not_measured, only_measured

__all__ = [
    "atomic_path",
    "read_columns",
    "read_genes",
    "read_json",
    "read_not_measured",
    "read_obs",
    "read_parquet",
    "read_parquets",
    "read_sample",
    "read_stage",
    "read_tsv",
    "write_json",
    "write_parquet",
    "write_stage",
    "write_text",
    "write_tsv",
]


ROW_GROUP = 20_000
BLOCK = 5_000  # cells read at once
MAPS = ("X_umap", "X_umap_unaligned")


def write_stage(adata: AnnData, path: str | Path, *, stage: str) -> None:
    """Check `adata` against the contract of `stage` and write it as h5ad, compressed.

    By gzip: what lzf writes depends on what was in memory before, and it has no checksum.

    Raises
    ------
    osteotalk.contract.ContractError
        If a field is missing or has the wrong type.
    """
    contract_checks.check_adata(adata, stage=stage, where=str(path))
    with atomic_path(path) as partial:
        adata.write_h5ad(partial, compression="gzip", compression_opts=1)


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    """Open an h5ad file in which nothing leads out of it; a fault in it is told as one."""
    with whole(path), h5py.File(path) as file:
        refuse_ways_out(file, str(path))
        yield file


def _check_cells(obs: pd.DataFrame, path: str | Path) -> None:
    """Refuse cells of another cohort or sample than the place of their file says."""
    check_owner({name: obs[name].unique() for name in ("dataset", "sample") if name in obs}, path)


def read_stage(path: str | Path, *, stage: str) -> AnnData:
    """Read an h5ad file and check it against the contract of `stage`.

    Raises
    ------
    osteotalk.contract.ContractError
        If a field is missing or has the wrong type.
    osteotalk.integrity.DamagedError
        If the file is damaged, or of another cohort or sample than its place says. So do all
        readers here.
    """
    with _opened(path):
        adata = read_h5ad(path)
    _check_cells(adata.obs, path)
    contract_checks.check_adata(adata, stage=stage, where=str(path))
    return adata


def read_obs(path: str | Path, *, stage: str) -> pd.DataFrame:
    """Read only `obs` of an h5ad file, and check its columns against the contract of `stage`.

    Raises
    ------
    osteotalk.contract.ContractError
        If a column is missing or has the wrong type.
    """
    with _opened(path) as file:
        obs: pd.DataFrame = read_elem(file["obs"])
    _check_cells(obs, path)
    contract_checks.check_obs(obs, stage=stage, where=str(path))
    return obs


def read_var_names(path: str | Path) -> pd.Index:
    """Read only the names of the genes of an h5ad file."""
    with _opened(path) as file:
        var: pd.DataFrame = read_elem(file["var"])
    return var.index


def read_not_measured(path: str | Path) -> dict[str, list[str]]:
    """Read which genes each sample of a cohort did not measure, see `osteotalk.measured`."""
    with _opened(path) as file:
        place = f"uns/osteotalk/{KEY}"
        found = read_elem(file[place]) if place in file else {}
    return not_measured({"osteotalk": {KEY: found}})


def read_sample(path: str | Path, sample: str) -> AnnData:
    """Read the expression of one sample of a cohort: `X`, `obs` and `var` of stage `annotated`.

    Genes that the sample did not measure are left out. Nothing else of the file is read, so this
    needs no more memory than the sample.

    Raises
    ------
    osteotalk.contract.ContractError
        If a field is missing or has the wrong type.
    """
    with _opened(path) as file:
        obs, var = read_elem(file["obs"]), read_elem(file["var"])
        rows = np.flatnonzero(obs["sample"].astype(str) == sample)
        if isinstance(file["X"], h5py.Dataset):  # dense: refused below
            matrix = file["X"][rows]
        elif len(rows):
            matrix = sparse_dataset(file["X"])[rows]
        else:  # a sample that lost all its cells
            matrix = sparse.csr_matrix((0, len(var)), dtype=np.float32)
        adata = AnnData(matrix, obs=obs.iloc[rows], var=var)
    _check_cells(obs, path)
    contract_checks.check_expression(adata, stage="annotated", where=str(path))
    return only_measured(adata, read_not_measured(path).get(sample, ()))


def read_genes(path: str | Path, genes: Collection[str]) -> AnnData:
    """Read the cells of a cohort with the expression of some genes: stage `annotated`.

    Cells are read in blocks, so this needs little more memory than what it gives back.

    Parameters
    ----------
    path
        The h5ad file.
    genes
        Those wanted; those that it does not have are left out.

    Returns
    -------
    `X` of the genes in the order of the file, `obs`, `var` and `uns`, and of `obsm` the maps
    (``X_umap``, ``X_umap_unaligned``). Counts and principal components are not read.

    Raises
    ------
    osteotalk.contract.ContractError
        If a field is missing or has the wrong type.
    """
    with _opened(path) as file:
        obs, var = read_elem(file["obs"]), read_elem(file["var"])
        columns = np.flatnonzero(var.index.isin(list(genes)))
        if isinstance(file["X"], h5py.Dataset):  # dense: refused below
            matrix = file["X"][:, columns]
        else:
            stored, starts = sparse_dataset(file["X"]), range(0, max(len(obs), 1), BLOCK)
            blocks = [stored[start : start + BLOCK][:, columns] for start in starts]
            matrix = sparse.vstack(blocks, format="csr")
        maps = {name: read_elem(file["obsm"][name]) for name in MAPS if name in file["obsm"]}
        uns = read_elem(file["uns"])
    _check_cells(obs, path)
    adata = AnnData(matrix, obs=obs, var=var.iloc[columns], obsm=maps, uns=uns)
    contract_checks.check_expression(adata, stage="annotated", where=str(path))
    return adata


def write_parquet(frame: pd.DataFrame, path: str | Path, *, table: str) -> None:
    """Check `frame` against the contract of `table` and write it as parquet.

    In groups of rows small enough that a reader who wants some of the rows can skip the others,
    with the cohort and the sample that it is of, and a checksum of every page.
    """
    contract_checks.check_frame(frame, table=table, where=str(path))
    stored = pa.Table.from_pandas(frame, preserve_index=False)
    stored = stored.replace_schema_metadata({**stored.schema.metadata, **owner_metadata(path)})
    with atomic_path(path) as partial:
        pq.write_table(
            stored,
            partial,
            compression="zstd",
            row_group_size=ROW_GROUP,
            write_page_checksum=True,
        )


def _parquet(path: str | Path, **choice: Any) -> pd.DataFrame:
    """Read a parquet file, each page of it checked."""
    with whole(path):
        check_metadata(pq.read_schema(path).metadata, path)
        return pd.read_parquet(path, page_checksum_verification=True, **choice)


def read_parquet(path: str | Path, *, table: str) -> pd.DataFrame:
    """Read a parquet file and check it against the contract of `table`."""
    frame = _parquet(path)
    contract_checks.check_frame(frame, table=table, where=str(path))
    return frame


def read_columns(
    path: str | Path, columns: Sequence[str], *, table: str, **equal: str
) -> pd.DataFrame:
    """Read some columns and rows of a parquet file.

    Parameters
    ----------
    path
        File of contract `table`.
    columns
        Columns wanted.
    **equal
        Column and the value that the rows wanted have in it.
    """
    filters = [(name, "==", value) for name, value in equal.items()]
    frame = _parquet(path, columns=list(columns), filters=filters or None)
    contract_checks.check_columns(frame, columns, table=table, where=str(path))
    return frame


def read_parquets(paths: Sequence[str | Path], *, table: str) -> pd.DataFrame:
    """Read several parquet files of one contract into one frame, in the given order."""
    frames = [read_parquet(path, table=table) for path in paths]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else contract.empty_frame(table)


def write_tsv(frame: pd.DataFrame, path: str | Path, *, table: str) -> None:
    """Check `frame` against the contract of `table` and write it as tab-separated text.

    Numbers keep ten significant digits; a missing number is an empty cell.
    """
    contract_checks.check_frame(frame, table=table, where=str(path))
    with atomic_path(path) as partial:
        frame.to_csv(partial, sep="\t", index=False, float_format="%.10g", lineterminator="\n")


def read_tsv(path: str | Path, *, table: str) -> pd.DataFrame:
    """Read a result table written by `write_tsv`; text columns keep empty cells as ''."""
    text = contract.text_columns(table)
    with whole(path):
        _check_end(path)
        frame = pd.read_csv(
            path,
            sep="\t",
            dtype=dict.fromkeys(text, str),
            na_values={column: [""] for column in contract.number_columns(table)},
            keep_default_na=False,
        )
        known = {name: kind for name, kind in contract.dtypes(table).items() if name in frame}
        frame = frame.astype(known)
    contract_checks.check_frame(frame, table=table, where=str(path))
    return frame


def _check_end(path: str | Path) -> None:
    """Refuse a table without its last line feed, as a table cut off is; one cut at it passes."""
    with Path(path).open("rb") as stream:
        if not stream.seek(0, 2):
            raise damaged(path, "it is empty")
        stream.seek(-1, 2)
        if stream.read(1) != b"\n":
            raise damaged(path, "its last line has no end")


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object."""
    with whole(path):
        return files.read_json(path)
