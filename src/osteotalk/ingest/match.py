"""Which matrix of an archive belongs to which sample of the table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial

from osteotalk.ingest.errors import IngestError, listed

RETIRED = "retired"
_listed = partial(listed, most=60)


def match_groups(
    names: Mapping[str, Sequence[str]],
    samples: Sequence[Mapping[str, str]],
    *,
    homes: Mapping[str, str],
    dataset: str,
    archives: Sequence[str],
) -> dict[str, str]:
    """Match matrices and samples one to one.

    Parameters
    ----------
    names
        Names of the files of each matrix, by its key.
    samples
        Rows with `sample` and maybe `accession`, `member` and `status`.
    homes
        Name of the archive of each matrix, by its key.
    dataset, archives
        For messages.

    Returns
    -------
    Key by sample, in the order of `samples`, without retired ones.

    Raises
    ------
    IngestError
        If they do not fit one to one; all that is wrong is said at once.
    """
    only = len(samples) == 1 and len(names) == 1 and not samples[0].get("member")
    candidates = {
        row["sample"]: list(names) if only else _candidates(row, names, homes) for row in samples
    }
    active = [row["sample"] for row in samples if row.get("status") != RETIRED]
    problems = _problems(candidates, active, {row["sample"]: row for row in samples}, names)
    problems += _contradictions(samples, names)
    if problems:
        where = ", ".join(archives) if archives else "no archive"
        msg = (
            f"dataset {dataset}: the table of samples and {where} do not agree: "
            f"{'; '.join(problems)}. Found there: {_listed(list(names)) or 'no matrix at all'}"
        )
        raise IngestError(msg)
    return {sample: candidates[sample][0] for sample in active}


def _candidates(
    row: Mapping[str, str], names: Mapping[str, Sequence[str]], homes: Mapping[str, str]
) -> list[str]:
    pattern = row.get("member", "")
    if pattern:
        return [key for key, files in names.items() if _fits(pattern, files)]
    for texts in ({key: key for key in names}, homes):
        for word in (row.get("accession", ""), row["sample"]):
            keys = _named(word, texts)
            if keys:
                return keys
    return []


def _named(word: str, texts: Mapping[str, str]) -> list[str]:
    """Keys whose text has the word as a whole, in capitals or not."""
    whole = re.compile(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", re.IGNORECASE)
    return [key for key, text in texts.items() if word and whole.search(text)]


def _contradictions(
    rows: Iterable[Mapping[str, str]], names: Mapping[str, Sequence[str]]
) -> list[str]:
    """Samples whose accession says another matrix than their id, or none of those there."""
    texts = {key: key for key in names}
    others = sorted({found for key in names for found in re.findall(r"GSM\d+", key)})
    problems = []
    for row in rows:
        accession, sample = row.get("accession", ""), row["sample"]
        if not accession or row.get("member"):
            continue
        by_accession, by_id = _named(accession, texts), _named(sample, texts)
        if by_accession and by_id and not set(by_accession) & set(by_id):
            problems.append(
                f"sample {sample}: its accession {accession} finds {_listed(by_accession)}, but "
                f"its id finds {_listed(by_id)} (correct accession, or give member)"
            )
        elif by_id and not by_accession and others and re.match("GSM", accession, re.IGNORECASE):
            problems.append(
                f"sample {sample}: its accession {accession} is not there, and its id finds "
                f"{_listed(by_id)} (correct accession, or give member)"
            )
    return problems


def _fits(pattern: str, files: Sequence[str]) -> bool:
    return any(
        fnmatchcase(text, pattern) for name in files for text in (name, name.rpartition("/")[2])
    )


def _problems(
    candidates: Mapping[str, list[str]],
    active: Sequence[str],
    rows: Mapping[str, Mapping[str, str]],
    names: Mapping[str, Sequence[str]],
) -> list[str]:
    problems = []
    missing = [
        f"{sample} (member '{rows[sample]['member']}')" if rows[sample].get("member") else sample
        for sample in active
        if not candidates[sample]
    ]
    if missing:
        problems.append(
            f"in the table but not in the archive: {_listed(missing)} (correct accession, or give "
            "a pattern of the file names as member, or set status to retired)"
        )
    claimed = {key for keys in candidates.values() for key in keys}
    unclaimed = [key for key in names if key not in claimed]
    if unclaimed:
        problems.append(
            f"in the archive but not in the table: {_listed(unclaimed)} (add a row to the table "
            "of samples, with status retired if it is not to be analysed)"
        )
    problems += [
        f"sample {sample} fits several: {_listed(candidates[sample])} (give a pattern that fits "
        "one of them as member)"
        for sample in active
        if len(candidates[sample]) > 1
    ]
    for key in names:
        owners = [sample for sample, keys in candidates.items() if key in keys]
        if len(owners) > 1:
            problems.append(
                f"{key} fits several samples: {_listed(owners)} (give each its own member)"
            )
    return problems
