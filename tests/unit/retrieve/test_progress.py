import logging
import sys

import pytest

from osteotalk import progress as module
from osteotalk.progress import amount, progress


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(module.time, "monotonic", found)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    return found


def lines(caplog):
    return [r.getMessage() for r in caplog.records]


def test_lines_every_ten_seconds_and_at_the_end(clock, caplog):
    caplog.set_level(logging.INFO)
    with progress(100 * 1024**2, "a.tar", initial=10 * 1024**2) as bar:
        for _ in range(45):
            clock.now += 0.5
            bar.update(2 * 1024**2)
    assert lines(caplog) == [
        "a.tar: 50.0 MiB of 100.0 MiB (50 %), 4.0 MiB/s",
        "a.tar: 90.0 MiB of 100.0 MiB (90 %), 4.0 MiB/s",
        "a.tar: 100.0 MiB of 100.0 MiB (100 %), 4.0 MiB/s",
    ]


def test_unknown_total_and_other_units_and_a_fault(clock, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(KeyError), progress(None, "reading", unit="rows") as bar:
        clock.now += 2
        bar.update(5000)
        raise KeyError
    assert lines(caplog) == ["reading: 5,000 rows after 2 s"]


def test_few_slow_items(clock, caplog):
    caplog.set_level(logging.INFO)
    with progress(1200, "pages of cohorts", unit="cohorts") as bar:
        for _ in range(2):
            clock.now += 40
            bar.update(600)
    assert lines(caplog) == [
        "pages of cohorts: 600 of 1,200 cohorts (50 %) after 40 s",
        "pages of cohorts: 1,200 of 1,200 cohorts (100 %) after 80 s",
        "pages of cohorts: 1,200 of 1,200 cohorts (100 %) after 80 s",
    ]


def test_a_bar_on_a_terminal(monkeypatch, capsys, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress(2048, "a.tar", initial=1024) as bar:
        bar.update(1024)
    assert "a.tar" in capsys.readouterr().err
    assert not caplog.records


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1024**2, "1.0 MiB"), (3 * 2**29, "1.5 GiB")],
)
def test_amounts(n, text):
    assert amount(n) == text
