"""The rule that tells tumour cells: copy number, markers and private clusters, in one table."""

from dataclasses import dataclass

YES, NO, UNDETERMINED = "yes", "no", "undetermined"

# What the markers say of a cell.
TUMOUR, NORMAL_LINEAGE, OTHER = "tumour", "reference", "other"
UNNAMED, TWO_LINEAGES = "unassigned", "two lineages"
ROLES = (TUMOUR, NORMAL_LINEAGE, OTHER, UNNAMED, TWO_LINEAGES)

# What copy number says of a cell, and of the cells of its cluster in its sample.
ABERRANT, NORMAL, UNCLEAR = "aberrant", "normal", "unclear"
NO_CHANGE = "no change"  # nothing is gained or lost in the sample
NO_CANDIDATE = "no candidate"  # no cell of the sample could be a tumour cell
UNKNOWN = "unknown"  # not computed
GROUP_STATES = (ABERRANT, NORMAL, UNCLEAR, NO_CHANGE, NO_CANDIDATE, UNKNOWN)
CELL_STATES = (ABERRANT, NORMAL, UNCLEAR, UNKNOWN)

# What becomes of the name of the population.
KEEP, TO_TUMOUR, TO_UNASSIGNED = "", "tumour", "unassigned"

_ANY: tuple[str, ...] = ()
_PRIVATE, _SHARED = (True,), (False,)
_OPEN = (OTHER, UNNAMED)  # the markers do not settle it


@dataclass(frozen=True)
class Rule:
    """A row of the table: the conditions (none: whatever it is), the call and why."""

    role: tuple[str, ...]
    group: tuple[str, ...]
    cell: tuple[str, ...]
    private: tuple[bool, ...]
    call: str
    reason: str
    population: str = KEEP

    def fits(self, *, role: str, group: str, cell: str, private: bool) -> bool:
        """Whether all conditions hold."""
        pairs = ((self.role, role), (self.group, group), (self.cell, cell))
        return all(not wanted or value in wanted for wanted, value in pairs) and (
            not self.private or private in self.private
        )


# The first row that fits counts; "group" is the cell's cluster within its sample.
RULES = (
    Rule((TWO_LINEAGES,), _ANY, _ANY, (), UNDETERMINED, "looks like two lineages at once"),
    # Only cells of normal lineages in the sample: there is nothing to find gains and losses in.
    Rule(
        (NORMAL_LINEAGE,),
        (NO_CANDIDATE,),
        _ANY,
        (),
        NO,
        "of a normal lineage by its markers; no cell of the sample could be a tumour cell",
    ),
    Rule(_ANY, (UNKNOWN, NO_CANDIDATE), _ANY, (), UNDETERMINED, "copy number was not computed"),
    # No arm is gained or lost in the sample.
    Rule(
        (NORMAL_LINEAGE,),
        (NO_CHANGE,),
        _ANY,
        (),
        NO,
        "of a normal lineage by its markers; no gain or loss found in the sample",
    ),
    Rule(
        (TUMOUR,),
        (NO_CHANGE,),
        _ANY,
        (),
        UNDETERMINED,
        "tumour by its markers, but no gain or loss found in the sample",
    ),
    Rule(
        _OPEN,
        (NO_CHANGE,),
        _ANY,
        _PRIVATE,
        UNDETERMINED,
        "no gain or loss found in the sample, but its cluster is private to its patient",
    ),
    Rule(
        (OTHER,),
        (NO_CHANGE,),
        _ANY,
        (),
        NO,
        "no tumour cell by its markers; no gain or loss found in the sample",
    ),
    Rule(
        (UNNAMED,),
        (NO_CHANGE,),
        _ANY,
        (),
        UNDETERMINED,
        "no population by its markers, and no gain or loss found in the sample",
    ),
    # Normal lineages: the populations of cnv_role reference.
    Rule(
        (NORMAL_LINEAGE,),
        (ABERRANT,),
        (ABERRANT,),
        (),
        UNDETERMINED,
        "of a normal lineage by its markers, but it and its cluster have the tumour's copy number",
    ),
    Rule((NORMAL_LINEAGE,), _ANY, _ANY, (), NO, "of a normal lineage by its markers"),
    # Tumour by markers.
    Rule(
        (TUMOUR,),
        (ABERRANT,),
        (ABERRANT, UNCLEAR),
        (),
        YES,
        "tumour by its markers and by the copy number of its cluster",
    ),
    Rule(
        (TUMOUR,),
        (ABERRANT,),
        _ANY,
        (),
        UNDETERMINED,
        "tumour by its markers and its cluster, but its own copy number is normal",
    ),
    Rule(
        (TUMOUR,),
        (UNCLEAR,),
        (ABERRANT,),
        (),
        YES,
        "tumour by its markers and its own copy number",
    ),
    Rule(
        (TUMOUR,),
        (UNCLEAR,),
        (UNCLEAR,),
        _PRIVATE,
        YES,
        "tumour by its markers, in a cluster private to its patient; copy number is between",
    ),
    Rule(
        (TUMOUR,),
        (UNCLEAR,),
        _ANY,
        (),
        UNDETERMINED,
        "tumour by its markers, but copy number does not show it",
    ),
    Rule(
        (TUMOUR,),
        (NORMAL,),
        (ABERRANT,),
        (),
        UNDETERMINED,
        "tumour by its markers and its own copy number, but that of its cluster is normal",
    ),
    Rule(
        (TUMOUR,),
        (NORMAL,),
        _ANY,
        (),
        NO,
        "copy number is normal, against its markers",
        TO_UNASSIGNED,
    ),
    # Populations without a cnv_role, and cells without a population.
    Rule(
        _OPEN,
        (ABERRANT,),
        (ABERRANT,),
        (),
        YES,
        "it and its cluster have the tumour's copy number",
        TO_TUMOUR,
    ),
    Rule(
        _OPEN,
        (ABERRANT,),
        _ANY,
        (),
        UNDETERMINED,
        "its cluster has the tumour's copy number, it has not",
    ),
    Rule(
        _OPEN,
        (UNCLEAR,),
        (ABERRANT,),
        _PRIVATE,
        YES,
        "it has the tumour's copy number, and its cluster is private to its patient",
        TO_TUMOUR,
    ),
    Rule(
        _OPEN,
        (UNCLEAR,),
        (NORMAL,),
        _SHARED,
        NO,
        "copy number is normal, and its cluster is not private to its patient",
    ),
    Rule(
        _OPEN,
        (UNCLEAR,),
        _ANY,
        (),
        UNDETERMINED,
        "copy number does not tell: its cluster is mixed or between",
    ),
    Rule(
        _OPEN,
        (NORMAL,),
        (ABERRANT,),
        (),
        UNDETERMINED,
        "it has the tumour's copy number, but that of its cluster is normal",
    ),
    Rule(_OPEN, (NORMAL,), _ANY, (), NO, "copy number is normal"),
)


def decide(*, role: str, group: str, cell: str, private: bool) -> Rule:
    """Give the row of the table that decides about a cell.

    Parameters
    ----------
    role
        What the markers say, one of `ROLES`.
    group, cell
        What copy number says of its cluster in its sample, one of `GROUP_STATES`, and of the cell,
        one of `CELL_STATES`.
    private
        Whether nearly all of its cluster belongs to its own patient, in a cohort of several.

    Raises
    ------
    ValueError
        If a word is none of these.
    """
    for value, known in ((role, ROLES), (group, GROUP_STATES), (cell, CELL_STATES)):
        if value not in known:
            msg = f"'{value}' is none of {', '.join(known)}"
            raise ValueError(msg)
    return next(
        rule for rule in RULES if rule.fits(role=role, group=group, cell=cell, private=private)
    )
