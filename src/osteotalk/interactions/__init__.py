"""Score ligand-receptor pairs per sample, and say in how many patients they are seen."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteotalk.interactions.scoring import score

__all__ = ["score"]


def __getattr__(name: str) -> Any:
    """Import `score` once it is asked for: every job parses the workflow, few of them score."""
    if name == "score":
        import importlib

        return importlib.import_module("osteotalk.interactions.scoring").score
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
