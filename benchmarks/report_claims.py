"""The claims' part of the made-up run of benchmarks/report_run.py: every number is drawn."""

from pathlib import Path

import numpy as np
import pandas as pd

from osteotalk import io
from osteotalk.claims.claim import (
    COMPOSITION,
    CORRELATION,
    INTERACTION,
    UNTESTABLE,
    read_claims,
)
from osteotalk.claims.together.therapies import therapy_table
from osteotalk.contract import TABLES, conform
from osteotalk.interactions.support import wilson_interval
from osteotalk.tables import Tables

VERDICTS = ("supported", "present, not specific", "partly", "not supported", "inconclusive")
CONTROLS = ("shuffled labels", "matched decoys", "population decoys")
SETTINGS = {"expr_prop": ("0.05", "0.2"), "min_cells": ("5", "20"), "alpha": ("0.01", "0.1")}


def write_claims(
    own: Path,
    dataset: str,
    samples: pd.DataFrame,
    tables: Tables,
    size: dict,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Write what a cohort has on the claims; give its evidence."""
    claims = tables.claims.to_dict("records")
    tested = [claim for claim in claims if claim["kind"] != UNTESTABLE]
    values = pd.concat(
        [values_of(claim, samples, rng) for claim in tested], ignore_index=True
    ).assign(dataset=dataset)
    drawn = pd.concat(
        [statistics_of(claim, size["decoys"], rng) for claim in tested], ignore_index=True
    ).assign(dataset=dataset)
    match = [
        {"claim_id": claim["claim_id"], "dataset": dataset, "control": control,
         "quantity": quantity, "n_pool": 300, "n_decoys": 300, "claim": 0.1, "decoy_low": 0.05,
         "decoy_median": 0.1, "decoy_high": 0.2, "difference": rng.normal(scale=0.2)}
        for claim in tested
        if claim["kind"] != COMPOSITION
        for control, quantity in matches(claim["kind"])
    ]  # fmt: skip
    evidence = result_rows(tables.claims, dataset, samples["patient"].nunique(), rng)
    frames = {"values": values, "decoys": pd.DataFrame(match), "evidence": evidence}
    for name, frame in frames.items():
        io.write_tsv(conform(frame, table=name), own / f"{name}.tsv", table=name)
    drawn = conform(drawn, table="decoy_statistics")
    io.write_parquet(drawn, own / "decoy_statistics.parquet", table="decoy_statistics")
    return evidence


def matches(kind: str) -> list[tuple[str, str]]:
    """Controls and quantities in which decoys are compared with their claim."""
    if kind != INTERACTION:
        return [("genes", "gene detection")]
    return [
        ("pairs", "ligand detection"),
        ("pairs", "receptor detection"),
        ("populations", "source cells"),
        ("populations", "target cells"),
    ]


def values_of(claim: dict, samples: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of table `values`: a value per patient."""
    n, plain = len(samples), not claim["contrast"]
    active = np.where(rng.random(n) < 0.6, "yes", "no") if plain else np.full(n, "")
    return pd.DataFrame(
        {
            "claim_id": claim["claim_id"],
            "patient": samples["patient"].to_numpy(),
            "condition": samples["condition"].to_numpy(),
            "value": rng.beta(1, 4, n),
            "decoys": np.nan if claim["kind"] == COMPOSITION else rng.beta(1, 8, n),
            "active": active,
            "along": rng.random(n) if claim["contrast"] == CORRELATION else np.nan,
        }
    )


def statistics_of(claim: dict, decoys: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of table `decoy_statistics`: the claim and its decoys, control by control."""
    controls = ["matched"] if claim["kind"] != COMPOSITION else []
    controls += ["populations"] if claim["kind"] == INTERACTION else []
    role = np.array(["claim"] + ["decoy"] * decoys, dtype=object)
    parts = [
        pd.DataFrame(
            {
                "claim_id": claim["claim_id"],
                "control": control,
                "role": role,
                "statistic": np.append(rng.beta(2, 6), rng.beta(1, 9, decoys)),
            }
        )
        for control in controls
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=["claim_id", "control", "role"])


def result_rows(
    claims: pd.DataFrame, dataset: str, patients: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Table `evidence` of a cohort."""
    frame = claims[["claim_id", "kind", "contrast"]].reset_index(drop=True)
    n = len(frame)
    tested = (frame["kind"] != UNTESTABLE).to_numpy()
    active = rng.integers(0, patients + 1, n)
    low, high = wilson_interval(active, np.full(n, patients))
    verdict = np.where(tested, rng.choice(VERDICTS, n), "not testable")
    p = rng.random((3, n))
    shown = {
        "support": active / patients,
        "support_low": low,
        "support_high": high,
        "effect": rng.normal(scale=0.1, size=n),
        "decoy_p": p[0],
        "decoy_q": np.minimum(1, 1.5 * p[0]),
        "population_p": np.where(frame["kind"] == INTERACTION, p[1], np.nan),
        "direction_p": np.where(frame["contrast"] != "", p[2], np.nan),
    }
    frame = frame.assign(**{name: np.where(tested, value, np.nan) for name, value in shown.items()})
    return frame.assign(
        dataset=dataset,
        verdict=verdict,
        reason=[f"active in {k} of {patients} informative patients" for k in active],
        n_informative=np.where(tested, patients, 0),
        n_active=np.where(tested, active, 0),
        best_edge="",
        effect_low=frame["effect"] - 0.05,
        effect_high=frame["effect"] + 0.05,
        n_decoys=np.where(tested, 1000, 0),
        n_population_decoys=np.where(frame["population_p"].notna(), 1000, 0),
        response_effect=np.nan,
        response_low=np.nan,
        response_high=np.nan,
        n_response=0,
        circular="",
    )[list(TABLES["evidence"])]


def combined(found: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Table `verdicts`: that of the first cohort, with the verdicts of all."""
    told = zip(*(frame["verdict"] for frame in found), strict=True)
    cohorts = [
        "; ".join(f"{name}: {verdict}" for name, verdict in zip(names, row, strict=True))
        for row in told
    ]
    frame = found[0].assign(dataset="all", n_datasets=len(names), i_squared=0.2, cohorts=cohorts)
    return conform(frame, table="verdicts")


def write_overall(
    folder: Path,
    tables: Tables,
    found: list[pd.DataFrame],
    verdicts: pd.DataFrame,
    names: list[str],
    size: dict,
) -> None:
    """Write the tables over all cohorts and the record of the run."""
    rng = np.random.default_rng([size["seed"], len(names)])
    theirs = result_rows(tables.published, "all", 5, rng)
    read_claims(tables.claims, vocabulary=tables.populations)  # they have to be whole
    frames = {
        "evidence": conform(pd.concat(found), table="evidence"),
        "verdicts": verdicts,
        "therapies": therapy_table(tables.therapies, verdicts),
        "calibration": rates(tables.claims, names, rng),
        "sensitivity": moved(found, rng),
    }
    for name, frame in frames.items():
        io.write_tsv(frame, folder / f"{name}.tsv", table=name)
    io.write_tsv(combined([theirs], ["all"]), folder / "published.tsv", table="verdicts")
    files = [
        {"dataset": row["dataset"], "sample": row["sample"], "role": role, "bytes": 12345,
         "path": f"resources/{row['dataset']}/{row['sample']}/{role}.gz", "sha256": "ab" * 32}
        for row in tables.samples[tables.samples["dataset"].isin(names)].to_dict("records")
        for role in ("matrix", "barcodes", "features")
    ]  # fmt: skip
    record = {
        "osteotalk": "0.0.0",
        "commit": None,
        "python": "3.11",
        "packages": {"scanpy": "1.11"},
        "resource": {"name": "consensus", "pairs": 4620, "added": 0, "dropped": 0, "sha256": "ab"},
        "config_sha256": "cd",
        "files": files,
        "seeds": {"analysis": 0},
    }
    io.write_json(record, folder / "provenance.json")


def rates(claims: pd.DataFrame, names: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Table `calibration`: every cohort, control, theme and verdict."""
    rows = [
        {"dataset": dataset, "control": control, "theme": theme, "verdict": verdict,
         "k_real": 20, "n_real": 95, "k_control": 30, "n_control": 950,
         "rate": 0.03, "rate_low": 0.02, "rate_high": 0.04, "ratio": 6 + rng.random(),
         "ratio_low": 4.0, "ratio_high": 9.0}
        for dataset in names
        for control in CONTROLS
        for theme in ("all", *dict.fromkeys(claims["theme"]))
        for verdict in VERDICTS
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), table="calibration")


def moved(found: list[pd.DataFrame], rng: np.random.Generator) -> pd.DataFrame:
    """Table `sensitivity`: one verdict in twenty moves with a setting."""
    parts = []
    for frame in found:
        for setting, values in SETTINGS.items():
            for value in values:
                other = rng.random(len(frame)) < 0.05
                parts.append(
                    pd.DataFrame(
                        {
                            "dataset": frame["dataset"],
                            "setting": setting,
                            "value": value,
                            "claim_id": frame["claim_id"],
                            "baseline": frame["verdict"],
                            "verdict": np.where(other, "inconclusive", frame["verdict"]),
                            "moved": np.where(other, "yes", "no"),
                        }
                    )
                )
    return conform(pd.concat(parts), table="sensitivity")
