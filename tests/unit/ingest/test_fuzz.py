"""Damaged files: whatever was changed in a sound file, a reader reads it or says what is wrong.

Some hundreds of changed files per reader; `benchmarks/fuzz.py` runs as many as one likes.
"""

import importlib.util

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osteotalk.ingest import IngestError

KINDS = ("mtx", "table", "h5", "h5ad", "tar", "zip", "gtf", "labels")
QUICK = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def fuzz(repository):
    """The module benchmarks/fuzz.py."""
    spec = importlib.util.spec_from_file_location("fuzz", repository / "benchmarks" / "fuzz.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.filterwarnings("ignore:(Variable|Observation) names are not unique")
@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_file_is_read_or_refused(fuzz, folder, kind, seed):
    sound, read = fuzz.sound_file(kind, folder)
    change = fuzz.change_arrays if kind == "h5ad" else fuzz.change_bytes
    path = change(sound, seed=seed)
    try:
        read(path)
    except IngestError as error:
        assert len(str(error)) > 20  # noqa: PT017 - most of the files are refused


# The files of second opinions take longer, and much of their reading is that of h5ad.
FEW = settings(QUICK, max_examples=25)


@pytest.mark.parametrize("kind", ["model", "reference"])
@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_file_of_a_second_opinion_is_read_or_refused(fuzz, folder, kind, seed):
    sound, read = fuzz.sound_file(kind, folder)
    change = fuzz.change_arrays if kind == "reference" else fuzz.change_bytes
    path = change(sound, seed=seed)
    try:
        read(path)
    except fuzz.OWN_ERRORS as error:
        assert path.name in str(error)  # noqa: PT017 - most of the files are refused


@pytest.mark.parametrize(
    "kind", ["mtx", "table", "h5", "h5ad", "tar", "zip", "gtf", "labels", "model", "reference"]
)
def test_the_sound_file_is_read(fuzz, folder, kind):
    path, read = fuzz.sound_file(kind, folder)
    assert read(path) is not None
