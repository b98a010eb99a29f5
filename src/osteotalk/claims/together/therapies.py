"""Which drug targets have support in patients."""

import pandas as pd

from osteotalk.contract import table_of
from osteotalk.tables import split

NUMBERS = ("n_informative", "n_active", "support", "support_low", "support_high")


def therapy_table(therapies: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Set the verdicts on claims beside the drugs that bear on them.

    It says whether the interaction that a drug is meant to act on is seen in tumours, not whether
    the drug works, and is no advice.

    Parameters
    ----------
    therapies
        Table of therapies.
    verdicts
        Table `verdicts`.

    Returns
    -------
    The table `therapies`: one row per drug and claim, in the order of the tables.
    """
    by_claim = verdicts.set_index("claim_id")
    rows = [
        {
            "drug": row["drug"],
            "target_gene": row["target_genes"],
            "claim_id": claim,
            "named_in_review": row["named_in_review"],
            "source": row["source"],
            "verdict": by_claim.loc[claim, "verdict"],
            **{name: by_claim.loc[claim, name] for name in NUMBERS},
            "note": row["note"],
        }
        for row in therapies.to_dict("records")
        for claim in split(row["claims"])
    ]
    return table_of(rows, table="therapies")
