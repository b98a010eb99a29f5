"""What the optional check of the scores needs, asked at the start of every run.

It stands apart from the check, so that an edit of the check does not run other rules again.
"""

from importlib.util import find_spec


class MissingPackageError(ValueError):
    """The config asks for a package that is not installed."""


def need_squidpy() -> None:
    """Check that squidpy is installed, before any long work.

    Raises
    ------
    MissingPackageError
        If it is not.
    """
    if find_spec("squidpy") is None:
        msg = (
            "interactions.squidpy is true in the config, which needs the Python package squidpy, "
            "and that is not installed here. Install it (pip install -c envs/constraints.txt "
            "-e '.[squidpy]' beside the Snakefile), or set interactions.squidpy to false"
        )
        raise MissingPackageError(msg)
