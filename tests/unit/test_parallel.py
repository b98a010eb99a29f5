"""Results in order, errors and warnings as they are, whatever the number of processes."""

import os
import re
import warnings
from functools import partial

import pytest

from osteotalk.parallel import in_order

# What other processes call has to be importable there; a test module is not.
NAMED = {"what": "squares", "unit": "numbers"}


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_results_keep_the_order_of_the_items(jobs):
    assert in_order(partial(pow, exp=2), [3, 1, 2], jobs=jobs, **NAMED) == [9, 1, 4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_items_give_no_results(jobs):
    assert in_order(abs, [], jobs=jobs, **NAMED) == []


def test_several_processes_are_others():
    items = ["__import__('os').getpid()"] * 2
    assert in_order(eval, items, jobs=1, **NAMED) == [os.getpid()] * 2
    assert os.getpid() not in in_order(eval, items, jobs=2, **NAMED)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_an_item_is_raised(jobs):
    with pytest.raises(ValueError, match=re.escape("invalid literal for int() with base 10: 'b'")):
        in_order(int, ["1", "b", "3"], jobs=jobs, **NAMED)


@pytest.mark.parametrize("jobs", [1, 2])
def test_warnings_are_repeated_here(jobs):
    warn = partial(warnings.warn, category=FutureWarning)
    with pytest.warns(FutureWarning) as told:
        in_order(warn, ["first", "second"], jobs=jobs, **NAMED)
    assert [str(warning.message) for warning in told] == ["first", "second"]


def test_jobs_below_one_are_refused():
    with pytest.raises(ValueError, match="jobs must be 1 or more; found 0"):
        in_order(abs, [1], jobs=0, **NAMED)
