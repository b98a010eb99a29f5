"""Data sets of the conformance suite, each built once."""

import importlib.util
import sys
from pathlib import Path

import pytest

NAMES = ["blood", "lung_cancer", "embedded"]


def _datasets():
    name = "conformance_datasets"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("datasets.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def load():
    """Cells and pairs of a data set by name; made once, and not to be changed."""
    made = {}

    def get(name, request):
        if name not in made:
            arguments = (request.getfixturevalue("shared_data"),) if name == "lung_cancer" else ()
            made[name] = getattr(_datasets(), name)(*arguments)
        return made[name]

    return get


@pytest.fixture(scope="session", params=NAMES)
def data(request, load):
    return load(request.param, request)
