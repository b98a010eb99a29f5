"""The file of a CellTypist model, read without trust and checked before it is used."""

import importlib
import io
import pickle
import pickletools
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.annotate.opinion_errors import MIN_SHARED, OpinionError, as_opinion, shared_genes
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.genes import current_names
from osteotalk.ingest.kinds import MODEL, kind_problem
from osteotalk.ingest.plain import unpacked_copy

# A model that has less of its genes in the data says little of the cells.
MIN_MODEL_SHARE = 0.1
_BUILTINS = frozenset(["bytes", "complex", "frozenset", "object", "set", "slice"])
# What a fitted classifier and scaler of scikit-learn are made of, beside classes of scikit-learn
# and numbers of numpy; nothing else in a pickle is called.
_ALLOWED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "builtins": _BUILTINS,
        "__builtin__": _BUILTINS,
        "_codecs": frozenset(["encode"]),
        "collections": frozenset(["OrderedDict"]),
        "copyreg": frozenset(["_reconstructor"]),
        "copy_reg": frozenset(["_reconstructor"]),
        "datetime": frozenset(["date", "datetime"]),
        "numpy": frozenset(["dtype", "ndarray"]),
        "numpy.core.multiarray": frozenset(["_reconstruct", "scalar"]),
        "numpy._core.multiarray": frozenset(["_reconstruct", "scalar"]),
        "numpy.core.numeric": frozenset(["_frombuffer"]),
        "numpy._core.numeric": frozenset(["_frombuffer"]),
        "numpy.random._pickle": frozenset(["__bit_generator_ctor", "__randomstate_ctor"]),
        "numpy.random._mt19937": frozenset(["MT19937"]),
    }
)
_KEYS = ("Model", "Scaler_", "description")
_OTHER_SPECIES = "the cells have human symbols; give a model of human cells"


@dataclass(frozen=True)
class Model:
    """A CellTypist model, the package to run it with, and the genes it shares with the data."""

    package: Any
    model: Any
    shared: int
    genes: int


class _Unpickler(pickle.Unpickler):
    """Loads what a model is made of, and refuses a pickle that asks for anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if name in _ALLOWED.get(module, ()):
            return super().find_class(module, name)
        root = module.partition(".")[0]
        if root in ("sklearn", "numpy") and "." not in name:
            found = super().find_class(module, name)
            own = getattr(found, "__module__", "").partition(".")[0] == root
            number = isinstance(found, type) and issubclass(found, np.generic)
            of_sklearn = isinstance(found, type) or name.startswith("__pyx_unpickle_")
            if own and (number if root == "numpy" else of_sklearn):
                return found
        msg = f"it asks for {module}.{name}, which a model does not need and a program may"
        raise pickle.UnpicklingError(msg)


def read_model(path: str | Path, *, measured: pd.Index, symbols: SymbolTable) -> Model:
    """Load a CellTypist model that can label cells with the `measured` genes.

    A pickle can run programs when it is read; only classes of scikit-learn and arrays are loaded
    from this one, so that a file that holds anything else is refused and nothing of it is run.
    Genes of the model that have another symbol now are renamed.

    Parameters
    ----------
    path
        As CellTypist writes it, maybe gzipped.
    measured
        Symbols of the cohort.
    symbols
        Approved symbols.

    Raises
    ------
    OpinionError
        If the file is something else or damaged, if its parts do not fit together, or if it shares
        too few genes with the data.
    """
    classifier, scaler, description = load_parts(path)
    features = [str(name) for name in classifier.features]
    with as_opinion("the CellTypist model "):
        renamed = _renamed(features, symbols=symbols, path=path)
    classifier.features = np.array(renamed, dtype=object)
    shared = shared_genes(
        measured,
        pd.Index(renamed),
        what=f"the CellTypist model {path}",
        least=max(MIN_SHARED, MIN_MODEL_SHARE * len(renamed)),
    )
    try:
        package = importlib.import_module("celltypist")
    except ImportError as error:
        msg = f"the model {path} needs CellTypist, which is not installed (pip install celltypist)"
        raise OpinionError(msg) from error
    model = package.models.Model(classifier, scaler, description)
    return Model(package, model, shared, len(renamed))


def load_parts(path: str | Path) -> tuple[Any, Any, Any]:
    """Classifier, scaler and description of a model whose parts fit together.

    Raises
    ------
    OpinionError
        As `read_model`.
    """
    if problem := kind_problem(path, MODEL):
        raise OpinionError(problem)
    classifier, scaler, description = _loaded(path)
    try:
        problem = _problem(classifier, scaler)
    except (AttributeError, TypeError, ValueError) as error:
        problem = str(error)
    if problem:
        msg = f"{path} is no CellTypist model that can be used: {problem}; download it again"
        raise OpinionError(msg)
    return classifier, scaler, description


def _loaded(path: str | Path) -> tuple[Any, ...]:
    """What the file has under the keys of a model."""
    with tempfile.TemporaryDirectory(prefix=".model-") as folder, as_opinion("the model "):
        plain = Path(unpacked_copy(str(path), folder))
        try:
            raw = plain.read_bytes()
            _check_places(raw)
            content = _Unpickler(io.BytesIO(raw)).load()
        except FileNotFoundError:
            msg = f"{path} does not exist"
            raise IngestError(msg) from None
        except Exception as error:  # a damaged pickle may raise anything
            msg = f"{path} cannot be read as a CellTypist model: {error}"
            raise OpinionError(msg) from error
    if not isinstance(content, dict) or not set(_KEYS) <= set(content):
        held = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        msg = (
            f"{path} is a pickle, but no CellTypist model: it holds {held}, not {', '.join(_KEYS)}"
        )
        raise OpinionError(msg)
    return tuple(content[key] for key in _KEYS)


def _check_places(raw: bytes) -> None:
    """Refuse a number of an object that no file of this size can have; memory is taken for it."""
    for opcode, place, _ in pickletools.genops(raw):
        if opcode.name.endswith("PUT") and place is not None and int(place) > len(raw):
            msg = f"it numbers an object {place} in {len(raw)} bytes"
            raise pickle.UnpicklingError(msg)


def _problem(classifier: Any, scaler: Any) -> str:
    """Say what keeps a model from being used; '' if nothing does."""
    needed = ((classifier, ("features", "classes_", "coef_", "intercept_")), (scaler, ("scale_",)))
    for part, names in needed:
        if missing := [name for name in names if getattr(part, name, None) is None]:
            return f"its {type(part).__name__} has no {', '.join(missing)}"
    features, labels = np.asarray(classifier.features), np.asarray(classifier.classes_)
    if features.ndim != 1 or len(set(features.tolist())) != features.size:
        return "its genes are not a list of different names"
    if labels.ndim != 1 or len(labels) < 2:
        return f"it has {labels.size} labels"
    n_rows = 1 if len(labels) == 2 else len(labels)
    shapes = {
        "coefficients": (np.shape(classifier.coef_), (n_rows, len(features))),
        "intercepts": (np.shape(classifier.intercept_), (n_rows,)),
        "scales": (np.shape(scaler.scale_), (len(features),)),
    }
    if getattr(scaler, "with_mean", True):
        shapes["means"] = (np.shape(getattr(scaler, "mean_", ())), (len(features),))
    for name, (found, expected) in shapes.items():
        if found != expected:
            return (
                f"its {name} are {found}, but {len(features)} genes and {len(labels)} labels need "
                f"{expected}"
            )
    if not np.isfinite(classifier.coef_).all() or not np.isfinite(scaler.scale_).all():
        return "its coefficients or scales are not finite numbers"
    return ""


def _renamed(features: list[str], *, symbols: SymbolTable, path: str | Path) -> list[str]:
    """Genes of the model under their approved symbols, unless another one of them has it."""
    now, _ = current_names(features, symbols=symbols, where=str(path), todo=_OTHER_SPECIES)
    taken, result = set(features), []
    for old, new in zip(features, now, strict=True):
        if new and new not in taken:
            taken.add(new)
            result.append(new)
        else:
            result.append(old)
    return result
