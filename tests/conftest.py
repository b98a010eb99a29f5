"""Paths that tests share."""

import os
from pathlib import Path

import pytest


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything has been installed (.ci/run), a skipped test is a failure."""
    report = yield
    if report.skipped and os.environ.get("OSTEOTALK_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped although everything should be here: {report.longrepr[-1]}"
    return report
