"""How far a long transfer is: a bar on a terminal, a line now and then in a log."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
_STEPS = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))


class Progress(Protocol):
    """What `progress` gives."""

    def update(self, n: int, /) -> object:
        """Count `n` more units."""


def amount(n: float) -> str:
    """Give a number of bytes in words: KiB, MiB or GiB."""
    for size, name in _STEPS:
        if n >= size:
            return f"{n / size:.1f} {name}"
    return f"{n:.0f} B"


class _Lines:
    """Log lines, at most one in `EVERY_SECONDS` and one at the end."""

    def __init__(self, total: int | None, what: str, *, unit: str, initial: int) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.initial = self.done = initial
        self.start = self.last = time.monotonic()

    def update(self, n: int, /) -> None:
        self.done += n
        if time.monotonic() - self.last >= EVERY_SECONDS:
            self.report()

    def report(self) -> None:
        self.last = time.monotonic()
        passed = self.last - self.start
        share = f" ({100 * self.done / self.total:.0f} %)" if self.total else ""
        if self.unit == "B":
            rate = (self.done - self.initial) / max(passed, 1e-9)
            known = f" of {amount(self.total)}" if self.total else ""
            told = f"{amount(self.done)}{known}{share}, {amount(rate)}/s"
        else:
            known = f" of {self.total:,}" if self.total else ""
            told = f"{self.done:,}{known} {self.unit}{share} after {passed:.0f} s"
        log.info("%s: %s", self.what, told)


@contextmanager
def progress(
    total: int | None, what: str, *, unit: str = "B", initial: int = 0
) -> Iterator[Progress]:
    """Show how far something is, from `initial` units on.

    Parameters
    ----------
    total
        Units in all; None if unknown.
    what
        Name of the work, at the head of the bar or line.
    unit
        "B" for bytes; anything else is written as it is.
    initial
        Units done before (a resumed download).

    Yields
    ------
    An object with `update(n)`. If standard error is a terminal it draws a bar, else it writes log
    lines, at most one in ten seconds and one at the end.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        from tqdm import tqdm

        binary = unit == "B"
        with tqdm(
            total=total,
            desc=what,
            unit=unit,
            initial=initial,
            unit_scale=binary,
            unit_divisor=1024 if binary else 1000,
            leave=False,
        ) as bar:
            yield bar
        return
    lines = _Lines(total, what, unit=unit, initial=initial)
    try:
        yield lines
    finally:
        lines.report()
