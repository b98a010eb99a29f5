"""Change sound files at random and read them: no exception but the project's own, no hang.

    python benchmarks/fuzz.py --kind h5ad --n 20000

Each kind runs in a process of its own, so that an end of the interpreter is seen: it is started
again behind the file that ended it. A file that takes more than ten seconds counts as a hang.
Prints, per kind, how many files were read and refused, other exceptions, crashes and hangs with
the seeds that make them, and the peak of memory.
"""

import argparse
import gzip
import io
import pickle
import random
import resource
import selectors
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.io import mmwrite
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from osteotalk.annotate.model_file import load_parts
from osteotalk.annotate.opinion_errors import OpinionError
from osteotalk.annotate.reference_file import read_reference
from osteotalk.ingest import IngestError, h5ad, table_text, tenx_h5, tenx_mtx
from osteotalk.ingest.archive import extract, list_members
from osteotalk.ingest.authors import read_metadata
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.gtf import read_gtf
from osteotalk.liana_file import human_genes

KINDS = ("mtx", "table", "h5", "h5ad", "tar", "zip", "gtf", "labels", "model", "reference")
OF_ARRAYS = ("h5", "h5ad", "reference")
OWN_ERRORS = (IngestError, OpinionError)
CELLS, GENES, LIMIT = 8, 6, 10
PIECES = (b"0", b"9", b" ", b"\n", b"\r", b"\t", b",", b"-", b".", b"e9", b"%", b'"', b"\x00", b"x")
_made: dict[tuple[str, Path], tuple[Path, object]] = {}


def counts() -> np.ndarray:
    """Counts of the sound files, cells x genes."""
    return np.random.default_rng(0).poisson(1, (CELLS, GENES))


def _mtx(folder):
    (folder / "b").write_text("".join(f"C{i}\n" for i in range(CELLS)))
    (folder / "f").write_text("".join(f"E{i}\tG{i}\n" for i in range(GENES)))
    buffer = io.BytesIO()
    mmwrite(buffer, sparse.coo_matrix(counts().T), field="integer")
    return buffer.getvalue()


def _table(_):
    header = ",".join(["gene", *(f"C{i}" for i in range(CELLS))])
    rows = [",".join([f"G{i}", *map(str, row)]) for i, row in enumerate(counts().T)]
    return "\n".join([header, *rows, ""]).encode()


def _h5(folder):
    matrix = sparse.csr_matrix(counts())
    with h5py.File(folder / "made.h5", "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape[::-1]
        group["barcodes"] = np.array([f"C{i}" for i in range(CELLS)], dtype="S")
        for name in ("id", "name", "feature_type", "genome"):
            group[f"features/{name}"] = np.array([f"{name}{i}" for i in range(GENES)], dtype="S")
    return (folder / "made.h5").read_bytes()


def _h5ad(folder):
    adata = ad.AnnData(
        sparse.csr_matrix(counts(), dtype=np.float32),
        obs=pd.DataFrame({"donor": list("xyxyxyxy")}, index=[f"C{i}" for i in range(CELLS)]),
        var=pd.DataFrame(index=[f"G{i}" for i in range(GENES)]),
    )
    adata.layers["counts"] = sparse.csc_matrix(adata.X)
    adata.raw = adata.copy()
    adata.write_h5ad(folder / "made.h5ad")
    return (folder / "made.h5ad").read_bytes()


def _tar(_):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("S1_matrix.mtx", "S1_barcodes.tsv", "S1_features.tsv"):
            info = tarfile.TarInfo(name)
            info.size = 700
            tar.addfile(info, io.BytesIO(b"x" * 700))
    return buffer.getvalue()


def _zip(_):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("S1_matrix.mtx", "S1_barcodes.tsv", "S1_features.tsv"):
            archive.writestr(name, "x" * 700)
    return buffer.getvalue()


def _gtf(_):
    row = 'chr{0}\tx\tgene\t{1}\t{2}\t.\t+\t.\tgene_id "ENSG0000000000{0}"; gene_name "G{0}";\n'
    text = "#!genome\n" + "".join(row.format(i, 100 * i, 200 * i) for i in range(1, 9))
    return gzip.compress(text.encode())


def _labels(_):
    rows = [f"C{i}\tS{i % 2 + 1}\ttype {i % 3}\n" for i in range(CELLS)]
    return ("barcode\tsample\tlabel\n" + "".join(rows)).encode()


def _model(_):
    labels = ["b cell", "t cell"] * 4
    classifier = LogisticRegression().fit(counts(), labels)
    classifier.features = np.array([f"G{i}" for i in range(GENES)])
    parts = {"Model": classifier, "Scaler_": StandardScaler().fit(counts()), "description": {}}
    return pickle.dumps(parts)


def _reference(folder):
    genes = sorted(human_genes())[:210]
    adata = ad.AnnData(
        sparse.csr_matrix(np.random.default_rng(0).poisson(1, (CELLS, len(genes)))),
        obs=pd.DataFrame({"kind": list("xyxyxyxy")}, index=[f"C{i}" for i in range(CELLS)]),
        var=pd.DataFrame({"gene_ids": genes}, index=genes),
    )
    adata.write_h5ad(folder / "made.h5ad")
    return (folder / "made.h5ad").read_bytes()


def _read_reference(path):
    genes = pd.Index(sorted(human_genes())[:210])
    symbols = SymbolTable("symbols.tsv", frozenset(genes), {}, {})
    return read_reference(path, column="kind", measured=genes, symbols=symbols)


def _unpack(path):
    with tempfile.TemporaryDirectory() as folder:
        return len(extract(list_members(path).members, Path(folder) / "x"))


def _readers(folder):
    plain = {"sample": "", "sample_key": ""}
    more = {"barcodes": str(folder / "b"), "features": str(folder / "f")}
    return {
        "mtx": lambda path: tenx_mtx.read({"matrix": str(path), **more}, **plain),
        "table": lambda path: table_text.read({"table": str(path)}, **plain),
        "h5": lambda path: tenx_h5.read({"h5": str(path)}, **plain),
        "h5ad": lambda path: h5ad.read({"h5ad": str(path)}, **plain),
        "tar": _unpack,
        "zip": _unpack,
        "gtf": read_gtf,
        "labels": lambda path: read_metadata(path, sample="S1", sample_key="sample"),
        "model": load_parts,
        "reference": _read_reference,
    }


def sound_file(kind, folder):
    """A sound file of a kind, made once, and the function that reads it."""
    if (kind, folder) not in _made:
        path = folder / f"sound.{kind}"
        path.write_bytes(globals()[f"_{kind}"](folder))
        _made[kind, folder] = (path, _readers(folder)[kind])
    return _made[kind, folder]


def change_bytes(path, *, seed):
    """Write a copy with one to four changes of its bytes."""
    draw, content = random.Random(seed), bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 4)):
        at, kind = draw.randrange(len(content) or 1), draw.randrange(6)
        if kind == 0 and content:
            content[at] = draw.randrange(256)
        elif kind == 1:
            del content[at : at + draw.randint(1, 20)]
        elif kind == 2:
            content[at:at] = b"".join(draw.choices(PIECES, k=draw.randint(1, 6)))
        elif kind == 3:
            del content[at:]
        elif kind == 4:
            content[at:at] = content[at : at + draw.randint(1, 60)]
        else:
            content[at : at + 4] = draw.choice((b"\xff" * 4, b"\0" * 4, b"9999"))
    changed = path.with_name(f"changed{path.suffix}")
    changed.write_bytes(content)
    return changed


def change_arrays(path, *, seed):
    """Write a copy of an HDF5 file in which one to three arrays or attributes are others."""
    draw = random.Random(seed)
    changed = path.with_name(f"changed{path.suffix}")
    changed.write_bytes(path.read_bytes())
    with h5py.File(changed, "a") as file:
        names: list[str] = []
        file.visit(names.append)
        for name in draw.sample(names, draw.randint(1, 3)):
            if name not in file:  # within a group that was taken out
                continue
            item, kind = file[name], draw.randrange(5)
            if kind == 0:
                del file[name]
            elif kind == 1 and list(item.attrs):
                item.attrs[draw.choice(list(item.attrs))] = draw.choice((-1, "csr_matrix", "x", 7))
            elif isinstance(item, h5py.Dataset) and item.ndim == 1 and item.dtype.kind in "iuf":
                values = item[:].tolist()
                row = draw.randrange(len(values) or 1)
                if kind == 2:
                    values[row : row + 1] = []
                else:
                    values[row : row + 1] = [draw.choice((-1, 0, 3, 10**6, 2**31 - 1))]
                attributes = dict(item.attrs)
                del file[name]
                file[name] = np.array(values, dtype=np.int32)
                file[name].attrs.update(attributes)
    return changed


def run(kind, first, n, folder):
    """Read changed files; prints a line per finding and `at` lines to tell a crash by."""
    path, read = sound_file(kind, folder)
    warnings.simplefilter("ignore")
    tally = {"read": 0, "refused": 0}
    for seed in range(first, first + n):
        print("at", seed, flush=True)
        both = kind in OF_ARRAYS and seed % 2
        changed = (change_arrays if both else change_bytes)(path, seed=seed)
        started = time.perf_counter()
        try:
            read(changed)
            tally["read"] += 1
        except OWN_ERRORS:
            tally["refused"] += 1
        except Exception as error:  # noqa: BLE001 - what is looked for
            print("exception", seed, type(error).__name__, str(error)[:80], flush=True)
        if time.perf_counter() - started > LIMIT / 2:
            print("slow", seed, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("done", tally, f"{peak:.0f} MB", flush=True)


def watch(kind, n):
    """Run one kind in processes of its own; restart behind a file that ends or stops one."""
    first, findings = 0, []
    while first < n:
        command = [sys.executable, __file__, "--kind", kind, "--n", str(n - first)]
        job = subprocess.Popen(
            [*command, "--first", str(first), "--inside"], stdout=subprocess.PIPE, text=True
        )
        at, ended, since = first, False, time.perf_counter()
        ready = selectors.DefaultSelector()
        ready.register(job.stdout, selectors.EVENT_READ)
        while ready.select(timeout=LIMIT):
            line = job.stdout.readline()
            if not line:
                break
            word, *rest = line.split(maxsplit=1)
            if word == "at":
                at, since = int(rest[0]), time.perf_counter()
            else:
                findings.append(line.strip())
                ended |= word == "done"
        if ended:
            break
        hang = job.poll() is None and time.perf_counter() - since >= LIMIT / 2
        findings.append(f"{'hang' if hang else 'crash'} {at}")
        job.kill()
        first = at + 1
    print(kind, *findings, sep="\n  ")
    return not [f for f in findings if not f.startswith("done")]


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kind", choices=KINDS, help="one kind; all without it")
    parser.add_argument("--n", type=int, default=5_000, help="changed files of each kind")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        with tempfile.TemporaryDirectory() as folder:
            run(args.kind, args.first, args.n, Path(folder))
        return
    sound = [watch(kind, args.n) for kind in ([args.kind] if args.kind else KINDS)]
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()
