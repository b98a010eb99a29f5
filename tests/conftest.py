"""Paths that tests share."""

import importlib.util
import os
import sys
from pathlib import Path

import hypothesis
import pandas as pd
import pytest

# The same examples in every run.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data(repository) -> Path:
    """Small real data sets beside the repository; absent on most machines."""
    folder = repository.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets are not beside the repository (../shared/data)")
    return folder


@pytest.fixture
def shipped(repository):
    """Read a table of config/ as text."""

    def read(name: str) -> pd.DataFrame:
        text = (repository / "config" / f"{name}.tsv").read_text(encoding="utf-8")
        rows = [line.split("\t") for line in text.splitlines() if line and line[0] != "#"]
        return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)

    return read


@pytest.fixture(scope="session")
def loopback():
    """The module tests/loopback.py: a server on 127.0.0.1."""
    if "loopback" not in sys.modules:
        path = Path(__file__).with_name("loopback.py")
        spec = importlib.util.spec_from_file_location("loopback", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["loopback"] = module
        spec.loader.exec_module(module)
    return sys.modules["loopback"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of a file go to one process, and so do all that read the finished run."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            folder = "tests/workflow/finished/"
            return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything has been installed (.ci/run), a skipped test is a failure."""
    report = yield
    if report.skipped and os.environ.get("OSTEOTALK_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped although everything should be here: {report.longrepr[-1]}"
    return report
