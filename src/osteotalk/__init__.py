"""Test statements about osteosarcoma cell-cell interactions against single-cell cohorts."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("osteotalk")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"
