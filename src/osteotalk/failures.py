"""Why a job failed, read from the log that it left, in words for whoever started the run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# First line of the log of a job, and the last of one that has done its work.
BEGAN, ENDED = "osteotalk: the job began, process {}", "osteotalk: the job ended"
# A process that is killed cannot say so; what it leaves is a beginning without an end.
KILLED = (
    "ended without a word, so it was killed, as a rule because memory ran out; with fewer jobs "
    "at a time (--cores 1) the run needs less"
)
NO_LOG = "ended before it could write a line; what Snakemake says of it stands above"
MOST_LINES, MOST_LETTERS, MOST_JOBS = 8, 800, 10
MOST_TOLD = 3
_BEGAN = re.compile(re.escape(BEGAN).replace(re.escape("{}"), r"\d+"))
_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?")


@dataclass(frozen=True)
class FailedJob:
    """A job that failed: its rule, the cohort and the sample (or file) it was for, and its log."""

    rule: str
    dataset: str = ""
    of: str = ""
    log: str = ""

    @property
    def words(self) -> str:
        """How the job is called."""
        about = [self.of, f"cohort {self.dataset}" if self.dataset else ""]
        return " of ".join([self.rule, *filter(None, about)])


def failure(log: str | Path) -> str:
    """Error with which a log ends, shortened; '' if there is no log or no error in it.

    Our own errors say what to do and stand without the name of their class. A log that has
    neither an error nor the line with which every job ends is that of a job that was killed.
    """
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    if lines and lines[-1] == ENDED:
        return ""
    places = [place for place, line in enumerate(lines) if line.rstrip() == _TRACEBACK]
    if not places:
        return KILLED if lines and _BEGAN.fullmatch(lines[0]) else ""
    told = lines[places[-1] + 1 :]
    while told and (not told[0].strip() or told[0].startswith(" ")):  # frames and their code
        told = told[1:]
    if not told:
        return "stopped without a message"
    head = _EXCEPTION.fullmatch(told[0])
    if head and head["text"]:
        name, _, _ = head["name"].partition(".")
        told[0] = head["text"]
        if name != __package__.partition(".")[0]:
            told[0] = f"{head['name'].rpartition('.')[2]}: {head['text']}"
    return _shortened([line.rstrip() for line in told if line.strip()])


def _shortened(lines: Sequence[str]) -> str:
    kept = "\n".join(lines[:MOST_LINES])
    if len(lines) <= MOST_LINES and len(kept) <= MOST_LETTERS:
        return kept
    return f"{kept[:MOST_LETTERS].rstrip()} … (the rest is in the log)"


def summary(jobs: Sequence[FailedJob], *, command: str, since: float = 0) -> str:
    """What a user should read last when a run has failed.

    Parameters
    ----------
    jobs
        Those that failed.
    command
        What was run.
    since
        When the run started, in seconds; an older log is of an earlier run and says nothing.

    Returns
    -------
    A sentence on each of the newest jobs (rule, sample, cohort, cause, log), the names of the
    others, and how to go on.
    """
    found = sorted(((_written(job.log), job) for job in jobs), key=lambda f: (-f[0], f[1].words))
    lines = []
    for written, job in found[:MOST_TOLD]:
        cause = (failure(job.log) if job.log and written >= since else "") or NO_LOG
        joint = " " if cause in (KILLED, NO_LOG) else " failed: "
        lines.append(f"{job.words}{joint}{cause} (log: {job.log})")
    others = [job.words for _, job in found[MOST_TOLD:]]
    if others:
        rest = f" and {len(others) - MOST_JOBS} more" if len(others) > MOST_JOBS else ""
        lines.append(f"Failed as well: {', '.join(others[:MOST_JOBS])}{rest}")
    lines.append(
        "What is finished is kept. To go on, put right what is said above and run the same command "
        f"again: {command}"
    )
    return "\n".join(lines) + "\n"


def _written(log: str) -> float:
    path = Path(log)
    return path.stat().st_mtime if log and path.is_file() else 0
