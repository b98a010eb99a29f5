"""Read and write the files that pass between stages.

Everything is written through `osteotalk.files`, which never leaves half of a file.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from anndata import AnnData, read_h5ad

from osteotalk import contract
from osteotalk.files import atomic_path, read_json, write_json, write_text

__all__ = [
    "atomic_path",
    "read_json",
    "read_parquet",
    "read_parquets",
    "read_stage",
    "read_tsv",
    "write_json",
    "write_parquet",
    "write_stage",
    "write_text",
    "write_tsv",
]


def write_stage(adata: AnnData, path: str | Path, *, stage: str) -> None:
    """Check `adata` against the contract of `stage` and write it as h5ad, compressed.

    Raises
    ------
    osteotalk.contract.ContractError
        If a field is missing or has the wrong type.
    """
    contract.check_adata(adata, stage=stage, where=str(path))
    with atomic_path(path) as partial:
        adata.write_h5ad(partial, compression="lzf")


def read_stage(path: str | Path, *, stage: str) -> AnnData:
    """Read an h5ad file and check it against the contract of `stage`."""
    adata = read_h5ad(path)
    contract.check_adata(adata, stage=stage, where=str(path))
    return adata


def write_parquet(frame: pd.DataFrame, path: str | Path, *, table: str) -> None:
    """Check `frame` against the contract of `table` and write it as parquet."""
    contract.check_frame(frame, table=table, where=str(path))
    with atomic_path(path) as partial:
        frame.to_parquet(partial, index=False, compression="zstd")


def read_parquet(path: str | Path, *, table: str) -> pd.DataFrame:
    """Read a parquet file and check it against the contract of `table`."""
    frame = pd.read_parquet(path)
    contract.check_frame(frame, table=table, where=str(path))
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
    contract.check_frame(frame, table=table, where=str(path))
    with atomic_path(path) as partial:
        frame.to_csv(partial, sep="\t", index=False, float_format="%.10g", lineterminator="\n")


def read_tsv(path: str | Path, *, table: str) -> pd.DataFrame:
    """Read a result table written by `write_tsv`; text columns keep empty cells as ''."""
    text = contract.text_columns(table)
    frame = pd.read_csv(
        path,
        sep="\t",
        dtype=dict.fromkeys(text, str),
        na_values={column: [""] for column in contract.number_columns(table)},
        keep_default_na=False,
    )
    frame = frame.astype(contract.dtypes(table))
    contract.check_frame(frame, table=table, where=str(path))
    return frame
