"""Independent pieces of work in several processes, with the same results as in one."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from osteotalk.progress import progress

Item = TypeVar("Item")
Result = TypeVar("Result")
Told = tuple[type[Warning], str]


def in_order(
    function: Callable[[Item], Result], items: Sequence[Item], *, jobs: int, what: str, unit: str
) -> list[Result]:
    """Call a function with each item, in several processes, and show how far it is.

    Parameters
    ----------
    function
        Importable by its name, or a `functools.partial` of such a one. It must not depend on what
        it was called with before.
    items
        Passed to other processes, as are the results.
    jobs
        Processes at the same time; with one, all is done in this process.
    what, unit
        Name of the work and of the items, for the bar or the lines of the log.

    Returns
    -------
    Results in the order of the items. Warnings of other processes are repeated in this one.

    Raises
    ------
    ValueError
        If `jobs` is not positive. What `function` raises for the first item that fails is raised
        as it is.
    """
    if jobs < 1:
        msg = f"jobs must be 1 or more; found {jobs}"
        raise ValueError(msg)
    found = []
    with progress(len(items), what, unit=unit) as bar:
        for result in _results(function, items, jobs=min(jobs, len(items))):
            found.append(result)
            bar.update(1)
    return found


def _results(
    function: Callable[[Item], Result], items: Sequence[Item], *, jobs: int
) -> Iterator[Result]:
    if jobs < 2:
        yield from map(function, items)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    work = Parallel(n_jobs=jobs, return_as="generator")
    try:
        for result, told in work(delayed(_recorded)(function, item) for item in items):
            for category, text in told:
                warnings.warn(text, category, stacklevel=3)
            yield result
    finally:  # the processes would wait for more work and keep their memory
        get_reusable_executor().shutdown(wait=True)


def _recorded(function: Callable[[Item], Result], item: Item) -> tuple[Result, list[Told]]:
    """Result of a call, and the warnings that it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        result = function(item)
    return result, [(warning.category, str(warning.message)) for warning in caught]
