"""The scoring methods: what they are called, what they compute and which way is strong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from osteotalk.interactions.checks.settings import ScoringError

Column = np.ndarray


@dataclass(frozen=True)
class Sides:
    """What the scores are made of, one value per edge.

    Attributes
    ----------
    ligand, receptor
        Mean expression of the ligand in the source and of the receptor in the target.
    ligand_sum, receptor_sum
        The same mean, summed over the sources that the target is scored with, and the reverse.
    ligand_z, receptor_z, ligand_logfc, receptor_logfc
        Standardised mean and log2 fold change.
    ligand_trimean, receptor_trimean
        Tukey's trimean over the largest value of the matrix; None if no method needs it.
    matrix_mean
        Mean of the whole matrix.
    """

    ligand: Column
    receptor: Column
    ligand_sum: Column
    receptor_sum: Column
    ligand_z: Column
    receptor_z: Column
    ligand_logfc: Column
    receptor_logfc: Column
    ligand_trimean: Column | None
    receptor_trimean: Column | None
    matrix_mean: float


@dataclass(frozen=True)
class Method:
    """A scoring method.

    Attributes
    ----------
    name
        Name in the config.
    title
        Name in print.
    magnitude, specificity
        Its columns: how strong an edge is, and how particular to its two populations; None if it
        has none. A high value is strong, except for the p-value.
    reference
        DOI.
    function
        Computes the columns, except for the p-value (`osteotalk.interactions.nulls.p_values`).
    """

    name: str
    title: str
    magnitude: str | None
    specificity: str | None
    reference: str
    function: Callable[[Sides], dict[str, Column]]


P_VALUE = "p_value"
CELLCHAT_HALF = 0.5  # product of the trimeans at which CellChat's probability is a half


def _cellphonedb(x: Sides) -> dict[str, Column]:
    return {"lr_means": (x.ligand + x.receptor) / 2}


def _connectome(x: Sides) -> dict[str, Column]:
    return {
        "expr_prod": x.ligand * x.receptor,
        "scaled_weight": (x.ligand_z + x.receptor_z) / 2,
    }


def _log2fc(x: Sides) -> dict[str, Column]:
    return {"lr_logfc": (x.ligand_logfc + x.receptor_logfc) / 2}


def _natmi(x: Sides) -> dict[str, Column]:
    return {
        "expr_prod": x.ligand * x.receptor,
        "spec_weight": (x.ligand / x.ligand_sum) * (x.receptor / x.receptor_sum),
    }


def _singlecellsignalr(x: Sides) -> dict[str, Column]:
    root = np.sqrt(x.ligand * x.receptor)
    return {"lrscore": root / (root + x.matrix_mean)}


def _cellchat(x: Sides) -> dict[str, Column]:
    if x.ligand_trimean is None or x.receptor_trimean is None:
        msg = "CellChat's score needs the trimeans"
        raise ValueError(msg)
    product = x.ligand_trimean * x.receptor_trimean
    return {"lr_probs": product / (CELLCHAT_HALF + product)}


def _geometric_mean(x: Sides) -> dict[str, Column]:
    return {"lr_gmeans": np.sqrt(x.ligand * x.receptor)}


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                "cellphonedb",
                "CellPhoneDB",
                "lr_means",
                P_VALUE,
                "10.1038/s41596-020-0292-x",
                _cellphonedb,
            ),
            Method(
                "connectome",
                "Connectome",
                "expr_prod",
                "scaled_weight",
                "10.1038/s41598-022-07959-x",
                _connectome,
            ),
            Method("log2fc", "log2FC", None, "lr_logfc", "10.1038/s41467-022-30755-0", _log2fc),
            Method(
                "natmi", "NATMI", "expr_prod", "spec_weight", "10.1038/s41467-020-18873-z", _natmi
            ),
            Method(
                "singlecellsignalr",
                "SingleCellSignalR",
                "lrscore",
                None,
                "10.1093/nar/gkaa183",
                _singlecellsignalr,
            ),
            Method(
                "cellchat",
                "CellChat",
                "lr_probs",
                None,
                "10.1038/s41467-021-21246-9",
                _cellchat,
            ),
            Method(
                "geometric_mean",
                "geometric mean",
                "lr_gmeans",
                None,
                "10.1038/s41596-020-0292-x",
                _geometric_mean,
            ),
        )
    }
)
# Computed always, and in the consensus by default: those of LIANA's rank aggregate.
DEFAULT = ("cellphonedb", "connectome", "log2fc", "natmi", "singlecellsignalr")


def chosen_methods(names: Sequence[str]) -> list[Method]:
    """Give the methods of these names.

    Raises
    ------
    osteotalk.interactions.checks.settings.ScoringError
        Naming every unknown or repeated method, and those there are; or if it is no list.
    """
    if isinstance(names, str):
        msg = f"methods is the text '{names}'; give a list of names, such as ['{names}']"
        raise ScoringError(msg)
    unknown = [name for name in names if name not in METHODS]
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if unknown or repeated or not names:
        problems = [f"there is no method {', '.join(unknown)}"] if unknown else []
        problems += [f"named twice: {', '.join(repeated)}"] if repeated else []
        problems += ["no method is named"] if not names else []
        msg = f"methods: {'; '.join(problems)}. Methods are {', '.join(METHODS)}"
        raise ScoringError(msg)
    return [METHODS[name] for name in names]


def rank_columns(names: Sequence[str], *, p_value: bool) -> tuple[list[str], list[str]]:
    """Distinct columns of magnitude and of specificity that the consensus of methods ranks.

    Parameters
    ----------
    names
        Methods.
    p_value
        Whether there is a p-value.
    """
    methods = chosen_methods(names)
    magnitude = dict.fromkeys(m.magnitude for m in methods if m.magnitude)
    specificity = dict.fromkeys(m.specificity for m in methods if m.specificity)
    if not p_value:
        specificity.pop(P_VALUE, None)
    return list(magnitude), list(specificity)
