"""One run of the reduced cohort, and what can be read from it."""

import re
import shutil
import zipfile
from html.parser import HTMLParser

import networkx as nx
import pytest

from osteotalk import io

pytestmark = pytest.mark.slow

# Files with the run times of the jobs.
WITH_TIMES = ("results/report/provenance.html", "results/report/assets/timings.tsv")


def test_everything_is_made(finished):
    results = finished.run / "results"
    for name in ("report/index.html", "provenance.json", "run_config.yaml", "claims/verdicts.tsv"):
        assert (results / name).stat().st_size > 0
    verdicts = io.read_tsv(results / "claims/verdicts.tsv", table="verdicts")
    assert verdicts["claim_id"].tolist() == [f"C{i:03d}" for i in range(1, 102)]
    assert (verdicts["reason"] != "").all()
    for name in ("calibration", "therapies"):
        assert len(io.read_tsv(results / f"claims/{name}.tsv", table=name))
    assert len(io.read_tsv(results / "claims/published.tsv", table="verdicts"))
    graph = nx.read_graphml(results / "simulated_os" / "network.graphml", force_multigraph=True)
    assert graph.number_of_edges() > 0
    assert not list(finished.run.rglob(".partial-*"))


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.snakemake(config=finished.small)


def test_a_module_in_the_folder_of_a_run_has_nothing_to_do(finished, tmp_path):
    """It has the same files, params and code, or Snakemake would make them again."""
    outer = tmp_path / "Snakefile"
    place = finished.copy / "workflow" / "Snakefile"
    outer.write_text(
        f'module osteotalk:\n    snakefile: "{place}"\n    config: config["osteotalk"]\n\n'
        "use rule * from osteotalk\n"
    )
    text = finished.snakemake("-n", config={"osteotalk": finished.small}, snakefile=outer)
    assert "Nothing to be done" in text


def test_one_core_gives_the_same_bytes(finished):
    """What runs in several processes, and what follows; test_slurm.py repeats what is before."""
    other = finished.run.parent / "again"
    shutil.copytree(finished.run, other)
    words = ("--forcerun", "calibrate_cohort")
    text = finished.snakemake(*words, config=finished.small, cores=1, folder=other)
    again = set(re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE))
    assert {"calibrate_cohort", "combine_verdicts", "render_report"} <= again
    files = [path for path in (finished.run / "results").rglob("*") if path.is_file()]
    assert len(files) > 500
    differ = [
        path
        for path in (file.relative_to(finished.run) for file in files)
        if (other / path).read_bytes() != (finished.run / path).read_bytes()
    ]
    assert [path for path in differ if path.as_posix() not in WITH_TIMES] == []


def test_editing_a_module_reruns_what_uses_it_and_nothing_else(finished):
    path = finished.copy / "src" / "osteotalk" / "claims" / "verdicts.py"
    before = path.read_text()
    path.write_text(before + "\n# edited\n")
    text = finished.snakemake("-n", config=finished.small)
    path.write_text(before)
    reran = set(re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE))
    judged = {"gather_evidence", "calibrate_cohort", "combine_verdicts", "render_report"}
    assert judged <= reran
    assert not {"ingest_sample", "filter_cells", "integrate_cohort", "annotate_cells",
                "score_interactions", "summarise_support", "build_network"} & reran  # fmt: skip
    assert "Params have changed" in text


def test_changing_a_setting_reruns_from_there(finished):
    config = {**finished.small, "claims": {**finished.small["claims"], "min_patients": 4}}
    text = finished.snakemake("-n", config=config)
    reran = set(re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE))
    assert "gather_evidence" in reran
    assert "score_interactions" not in reran
    finished.snakemake("-n", config=finished.small)  # puts the config file back


def test_the_check_against_squidpy_runs_if_it_is_asked_for(finished):
    """One sample; the other scores are not computed again because the check is turned on."""
    interactions = {**finished.small["interactions"], "squidpy": True}
    config = {**finished.small, "interactions": interactions}
    text = finished.snakemake("-n", config=config)
    assert (
        len(re.findall(r"^(?:local)?rule cross_check_sample:", text, re.MULTILINE)) == 7
    )  # samples
    assert "rule render_report:" in text
    assert "rule score_interactions:" not in text
    assert "rule cross_check_sample:" not in finished.snakemake("-nF", config=finished.small)

    samples = finished.run / "results/simulated_os/samples"
    finished.snakemake("results/simulated_os/samples/OS1/cross_check.tsv", config=config)
    (row,) = io.read_tsv(samples / "OS1/cross_check.tsv", table="cross_check").to_dict("records")
    edges = io.read_parquet(samples / "OS1/interactions.parquet", table="interactions")
    assert row["n_edges"] + row["n_complex"] == len(edges)
    assert row["n_edges"] > 1000
    assert row["n_only_ours"] == row["n_only_squidpy"] == 0
    assert row["max_mean_difference"] < 1e-6
    assert row["p_correlation"] > 0.98
    assert row["share_calls_agree"] > 0.95
    finished.snakemake("-n", config=finished.small)  # puts the config file back


def test_log_says_what_was_dropped(finished):
    text = (finished.run / "logs/filter_cells/simulated_os/OS1.log").read_text()
    assert re.search(r"kept \d+ of 300 cells: .*high_mito", text)
    text = (finished.run / "logs/score_interactions/simulated_os/LM1.log").read_text()
    assert "take no part" in text


def test_truth_is_compared_and_most_is_found(finished):
    truth = io.read_json(finished.run / "results/simulated_os/truth.json")
    assert truth["edges"]["planted"]["rate"] >= 0.9
    assert truth["edges"]["controls"]["rate"] <= 0.05
    assert truth["cells"]["right_major"] >= 0.97
    assert truth["cells"]["right_population"] >= 0.90
    two = truth["cells"]["two_lineages"]
    assert two["found"] >= 0.8 * two["kept"]
    assert two["single_called_so"] <= 0.01 * truth["cells"]["kept"]["single"]
    assert truth["malignancy"]["precision"] >= 0.95
    assert truth["malignancy"]["recall"] >= 0.95


def test_decoys_match_the_claims_they_stand_for(finished):
    """Within a factor of two, item by item; over many decoys hardly off at all."""
    decoys = io.read_tsv(finished.run / "results/simulated_os/decoys.tsv", table="decoys")
    assert set(decoys["control"]) == {"pairs", "populations", "genes"}
    detection = decoys[decoys["control"] != "populations"]
    assert detection["difference"].abs().max() <= 1
    assert detection["difference"].abs().median() < 0.1
    claim = detection["claim"].clip(lower=1e-3)
    assert (detection["decoy_low"] >= claim / 2.001).all()
    assert (detection["decoy_high"] <= claim * 2.001).all()
    cells = decoys[decoys["control"] == "populations"]
    assert (cells["decoy_low"] >= cells["claim"] / 10.001).all()
    assert (cells["decoy_high"] <= cells["claim"] * 10.001).all()


def test_verdicts_agree_with_what_was_planted(finished):
    claims = io.read_json(finished.run / "results/simulated_os/truth.json")["claims"]
    planted, unplanted = (claims[name] for name in ("planted", "unplanted"))
    untested = planted["verdicts"].get("not testable", 0)
    assert planted["verdicts"]["supported"] >= 0.75 * (planted["claims"] - untested)
    assert unplanted["verdicts"].get("supported", 0) <= 0.05 * unplanted["claims"]


def test_a_verdict_hardly_comes_up_by_chance(finished):
    table = io.read_tsv(finished.run / "results/claims/calibration.tsv", table="calibration")
    every = table[table["theme"] == "all"].set_index(["control", "verdict"])["rate"]
    shuffled = every["shuffled labels"]
    assert shuffled["supported"] + shuffled["present, not specific"] <= 0.05
    assert every["matched decoys"]["supported"] <= 0.05
    assert every["population decoys"]["supported"] <= 0.05


def test_another_setting_moves_few_verdicts(finished):
    """One of the variants, whose scores stay; the others are made in the same way."""
    name = "results/simulated_os/sensitivity/alpha/0.01.tsv"
    finished.snakemake(name, config=finished.small)
    other = io.read_tsv(finished.run / name, table="evidence")
    own = io.read_tsv(finished.run / "results/simulated_os/evidence.tsv", table="evidence")
    assert other["claim_id"].tolist() == own["claim_id"].tolist()
    assert (other["verdict"] == own["verdict"]).sum() > 0
    assert (other["n_active"] <= own["n_active"]).all()


def test_shuffled_labels_support_nothing(finished):
    """The control: what the same scoring finds where populations mean nothing."""
    from osteotalk.interactions import score

    adata = io.read_stage(finished.run / "results/simulated_os/annotated.h5ad", stage="annotated")
    sample = adata[adata.obs["sample"] == "OS1"].copy()
    shuffled = sample.obs["population"].sample(frac=1, random_state=0)
    sample.obs["population"] = shuffled.to_numpy()
    resource = io.read_tsv(finished.run / "results/resource.tsv", table="resource")
    table = score(sample, resource=resource, min_cells=10)
    assert len(table) > 1000
    assert (table["q_value"] <= 0.05).mean() < 0.001


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.loaded, self.linked, self.figures = [], [], 0

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("img", "script", "iframe", "source"):
            self.loaded.append(attributes.get("src") or "")
        if tag == "link":
            self.loaded.append(attributes.get("href") or "")
        if tag == "a":
            self.linked.append(attributes.get("href") or "")
        self.figures += tag == "svg"


@pytest.mark.parametrize(
    "page",
    ["index.html", "simulated_os.html", "claims/C002.html", "confidence.html", "methods.html",
     "provenance.html"],
)  # fmt: skip
def test_pages_load_nothing_from_elsewhere_and_their_links_lead_somewhere(finished, page):
    path = finished.run / "results" / "report" / page
    text = path.read_text()
    links = Links()
    links.feed(text)
    loaded = [source for source in links.loaded if source and not source.startswith("data:")]
    assert not [source for source in loaded if ":" in source]
    assert all((path.parent / source).is_file() for source in loaded)
    assert not re.search(r"@import|url\(\s*['\"]?https?:", text)
    assert links.figures >= 1 or page in ("methods.html", "provenance.html")
    for target in links.linked:
        if not target.startswith(("https://", "http://", "#")):
            assert (path.parent / target.split("#")[0]).exists(), target
    assert "SIMULATED DATA" in text


def test_every_claim_is_on_the_index_with_its_verdict(finished):
    text = (finished.run / "results/report/index.html").read_text()
    verdicts = io.read_tsv(finished.run / "results/claims/verdicts.tsv", table="verdicts")
    for row in verdicts.itertuples():
        assert re.search(rf">\s*{row.claim_id}\s*<", text), row.claim_id
    for name in verdicts["verdict"].unique():
        assert name in text


def test_snakemake_report_holds_the_pages(finished):
    finished.snakemake("--report", "report.zip", config=finished.small)
    with zipfile.ZipFile(finished.run / "report.zip") as archive:
        names = archive.namelist()
        # the whole folder, so that its links lead somewhere, and figures with captions
        (index,) = [name for name in names if name.endswith("/index.html")]
        folder = index.removesuffix("index.html")
        for name in ("claims/C001.html", "simulated_os.html", "assets/network.js"):
            assert folder + name in names
        for name in ("verdicts", "support", "simulated_os_network"):
            assert any(path.endswith(f"/{name}.svg") for path in names)
        (main,) = [name for name in names if name.endswith("report.html")]
        text = archive.read(main).decode("utf-8")
    assert "replication is the patient" in text  # the caption of the workflow
    assert "no evidence against a claim" in text  # the caption of the verdicts
    assert "A thick arrow means many pairs, not strong signalling" in text
    assert "decoy q of at most\\n0.05" in text  # with the settings of the run
