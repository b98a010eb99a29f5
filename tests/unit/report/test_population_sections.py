"""Sections on cells: populations, integration, malignancy, agreement."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.agreement import agreement_table
from osteotalk.report.figures.clones import arm_order, clones_figure, private_arms
from osteotalk.report.sections import agreement as agreement_of
from osteotalk.report.sections import malignancy as malignancy_of
from osteotalk.report.sections import populations
from osteotalk.report.sections.integration import section as integration_section
from osteotalk.report.tables.markers import dot_values, dots, group_means, marker_rows


@pytest.fixture
def cohort(inputs):
    return inputs.view()


def shown(cohort, inputs):
    return populations.section(having(cohort, clusters=inputs.clusters))


def having(cohort, **results):
    return replace(cohort, results=cohort.results.having(**results))


def malignancy_section(cohort, **results):
    return malignancy_of.section(having(cohort, **results))


def agreement_section(cohort, agreement, *, labels):
    tables = replace(cohort.tables, labels=labels)
    return agreement_of.section(replace(having(cohort, agreement=agreement), tables=tables))


def tables(section):
    return {table.anchor: table.frame for table in section.tables}


def figures(section):
    return {figure.anchor: figure for figure in section.figures}


def test_means_and_shares_by_hand():
    x = np.array([[1.0, 0.0], [3.0, 2.0], [0.0, 4.0]], dtype=np.float32)
    adata = AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=["A", "B"]))
    means, shares = group_means(adata, ["b", "a", "b"], genes=["B", "A"])
    assert means.to_dict() == {"B": {"a": 2.0, "b": 2.0}, "A": {"a": 3.0, "b": 0.5}}
    assert shares.to_dict() == {"B": {"a": 1.0, "b": 0.5}, "A": {"a": 1.0, "b": 0.5}}


def test_marker_rows_equal_a_loop_over_the_cells(inputs):
    rows = marker_rows(inputs.adata, markers=inputs.markers, populations=inputs.populations)
    assert list(rows["gene"]) == [
        "RUNX2", "IBSP", "VWF", "CD68", "C1QA", "CD3D", "CTSK", "CD8A", "NOTSEEN",
    ]  # fmt: skip
    name = inputs.adata.obs["population"].astype(str).to_numpy()
    x = pd.DataFrame(inputs.adata.X.toarray(), columns=inputs.adata.var_names)
    for row in rows[rows["measured"] == "yes"].to_dict("records"):
        # the toy's only parent is malignant, with one population below it
        own = name == row["marker_of"].replace("malignant_osteoblastic", "malignant").replace(
            "malignant", "malignant_osteoblastic"
        )
        assert row["mean"] == pytest.approx(x.loc[own, row["gene"]].mean(), rel=1e-5)
        assert row["detected"] == pytest.approx((x.loc[own, row["gene"]] > 0).mean())
        others = x.loc[~own & (name != "unassigned"), row["gene"]].groupby(
            name[~own & (name != "unassigned")]
        )
        assert row["mean_elsewhere"] == pytest.approx(others.mean().max(), rel=1e-5)
        assert row["elsewhere"] == others.mean().idxmax()
    assert rows["sign"].value_counts().to_dict() == {"+": 8, "-": 1}


def test_dot_plot_shows_positive_measured_markers_of_populations_found(inputs):
    rows = marker_rows(inputs.adata, markers=inputs.markers, populations=inputs.populations)
    frame = dots(inputs.adata, rows, columns=["tam", "cd8_t"])
    assert set(frame["gene"]) == {"RUNX2", "IBSP", "VWF", "CD68", "C1QA", "CTSK", "CD8A"}
    assert frame["level"].max() == 1
    assert frame["level"].min() >= 0
    own = frame[(frame["gene"] == "C1QA") & (frame["column"] == "tam")].iloc[0]
    cells = inputs.adata[(inputs.adata.obs["population"] == "tam").to_numpy(), "C1QA"].X
    assert own["detected"] == pytest.approx((cells.toarray() > 0).mean())


def test_populations_say_how_sure_they_are(cohort, inputs):
    section = shown(cohort, inputs)
    twice = int((cohort.cells["lineage_doublet"] == "yes").sum())
    assert f"of these, {twice} cells showed two lineages at once and are likely" in section.body[0]
    assert "1 marker gene of the populations found was not measured: NOTSEEN." in section.caveats
    assert list(figures(section)) == [
        "figure-umap-population",
        "figure-markers",
        "figure-confidence",
        "figure-group-markers",
        "figure-composition",
    ]
    states = tables(section)["table-states"]
    assert states[["population", "state"]].values.tolist() == [["tam", "tam_spp1"]]
    assert states["share"].tolist() == [1.0]
    svg = figures(section)["figure-confidence"].svg
    for label in ("Tumour-associated macroph… · tam", "Unassigned · unassigned", "Malignant · mal"):
        assert f">{label}" in svg
    assert (
        "3 groups compared among the major populations 1"
        in figures(section)["figure-confidence"].alt
    )
    assert "A name needs at least 0.86." in dict(section.definitions)["Probability"]


def test_groups_say_what_hangs_on_them(cohort, inputs):
    major = tables(shown(cohort, inputs))["table-clusters"].set_index("cluster")
    assert list(major["best_label"]) == [
        "",
        "Osteoclast 0.60",
        "",
    ]
    assert list(major["runner_up_label"]) == [
        "CD8 T cell 0.02",
        "none 0.30",
        "none 0.01",
    ]
    assert major["_probability"].isna().tolist() == [False, True, False]
    named = {
        row["claim_id"]: {*row["source"].split(";"), *row["target"].split(";")}
        for row in inputs.claims.to_dict("records")
        if row["kind"] != "not_testable"
    }
    tumour = {"malignant", "malignant_osteoblastic"}  # above or below is the same claim
    for cluster, names in {
        "tam": {"tam", "tam_spp1"},
        "unassigned": {"osteoclast"},
        "malignant_osteoblastic": tumour,
    }.items():
        expected = [claim for claim, own in named.items() if own & names]
        assert major.loc[cluster, "claims"] == ";".join(expected), cluster
        assert major.loc[cluster, "n_claims"] == len(expected)
    assert major["n_claims"].max() > 0
    parts = tables(shown(cohort, inputs))["table-parts"].iloc[0]
    assert (parts["label"], parts["best_label"], parts["runner_up_label"]) == (
        "Malignant",
        "Malignant, osteoblastic 0.70",
        "no finer 0.30",
    )
    assert f'<a href="claims/{major.loc["tam", "claims"][:4]}.html">' in inputs.dataset_html()


def test_markers_of_what_was_compared_by_group(cohort, inputs):
    figure = figures(shown(cohort, inputs))["figure-group-markers"]
    # of tam against cd8_t, of osteoclast, of malignant_osteoblastic; nobody compared endothelium
    for gene in ("CD68", "C1QA", "CD8A", "CTSK", "IBSP"):
        assert f">{gene}<" in figure.svg
    for gene in ("VWF", "CD3D", "NOTSEEN"):
        assert f">{gene}<" not in figure.svg
    assert figure.alt.endswith("in 3 groups of cells")  # malignant is seen in its part
    assert "marker of the runner-up" in figure.svg


def test_values_of_markers_in_groups_by_hand():
    x = np.array([[1.0, 0.0], [3.0, 2.0], [0.0, 4.0]], dtype=np.float32)
    adata = AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=["A", "B"]))
    chosen = pd.DataFrame({"marker_of": ["p", "q"], "gene": ["B", "A"]})
    values = dot_values(adata, chosen, groups=["b", "a", "b"], columns=["b", "a"])
    assert values.to_numpy().tolist() == [
        ["p", "B", "b", 1.0, 0.5],
        ["p", "B", "a", 1.0, 1.0],
        ["q", "A", "b", 0.5 / 3, 0.5],
        ["q", "A", "a", 1.0, 1.0],
    ]


def test_cells_named_as_their_parent_are_counted(cohort, inputs):
    names = cohort.adata.obs["population"].astype(str)
    cohort.adata.obs["population"] = names.replace("malignant_osteoblastic", "malignant")
    n = (names == "malignant_osteoblastic").sum()
    # a population with others below that is sure itself (dendritic, not plasmacytoid) is not one
    assert "upper level" not in " ".join(shown(cohort, inputs).body)
    cohort.adata.obs["population_reason"] = np.where(
        names == "malignant_osteoblastic", "other malignant 70%; named as malignant", ""
    )
    body = shown(cohort, inputs).body
    assert body[1] == (
        f"{n} cells could be told only at the upper level and bear the name of the parent: "
        f"Malignant {n}."
    )


def test_what_the_markers_said_before_copy_number(cohort, inputs):
    section = shown(cohort, inputs)
    assert section.body[-1] == (
        "2 parts of clusters are of another lineage than the rest and were named apart."
    )
    assert section.body[-2] == (
        "Cells by their markers, before copy number: 50 unassigned, 48 with two lineages, 7 named "
        "as a parent only, 5 moved to another lineage than that of their cluster, 1,234 in a "
        "state, 61 cycling."
    )
    assert "likely doublets; 2 cells lost the name as copy number is normal." in section.body[0]
    assert "before copy number" in figures(section)["figure-confidence"].caption
    captions = {table.anchor: table.caption for table in section.tables}
    assert "before copy number" in captions["table-clusters"]


def test_populations_with_too_few_measured_markers_are_named(cohort, inputs):
    def said():
        section = shown(cohort, inputs)
        return [text for text in section.caveats if text.startswith("Too few")]

    assert said() == [
        "Too few of their markers were measured to tell Osteoclast and SPP1+ macrophage. Such "
        "cells bear the name of the parent or are unassigned; such states are not told."
    ]
    cohort.adata.uns["osteotalk"]["annotate"]["too_few_markers"] = ""
    assert said() == []


def test_many_clusters_are_cut_and_said(cohort, inputs):
    many = pd.concat([inputs.clusters.head(1)] * 70).assign(
        cluster=[str(number) for number in range(70)]
    )
    section = shown(cohort, inputs.having(clusters=many))
    figure = figures(section)["figure-confidence"]
    assert "The 60 largest of 70 groups are shown." in figure.caption
    assert len(tables(section)["table-clusters"]) == 70


def test_nobody_is_assigned(cohort, inputs):
    cohort.adata.obs["population"] = "unassigned"
    section = shown(cohort, inputs)
    assert "0 populations" in section.body[0]
    assert "figure-markers" not in figures(section)
    assert tables(section)["table-markers"].empty


def test_mixing_is_shown_before_and_after(cohort):
    section = integration_section(cohort)
    frame = tables(section)["table-mixing"].set_index("metric")
    assert frame["change"].to_dict() == {
        "ilisi": "better",
        "own_clisi": "worse",
        "own_ari": "about the same",
    }
    assert "1.5 samples around it before and 3.2 after" in section.body[1]
    assert section.body[2].startswith("The measures are of 200 of 300 cells")
    assert "The cohort has no labels of its authors to compare with." in section.caveats
    figure = figures(section)["figure-aligned"]
    assert "290 cells before and after aligning with Harmony" in figure.alt
    assert "290 cells drawn at random are shown." in figure.caption


def test_conditions_have_a_map_if_there_are_several(cohort):
    assert "figure-umap-condition" in figures(integration_section(cohort))
    cohort.adata.obs["condition"] = "primary"
    assert "figure-umap-condition" not in figures(integration_section(cohort))


def test_samples_that_were_not_aligned(cohort):
    done = cohort.adata.uns["osteotalk"]["integrate"]
    done |= {"method": "none", "aligned": "no"}
    for metric in done["mixing"]["metrics"].values():
        del metric["after"]
    del cohort.adata.obsm["X_umap_unaligned"]
    section = integration_section(cohort)
    assert section.body[0] == "The 5 samples were not aligned, as the config says."
    table = section.tables[0]
    assert [column.label for column in table.columns] == [
        "Question",
        "Measure",
        "Value",
        "Better if",
    ]
    assert "figure-aligned" not in figures(section)
    cohort.adata.obs["sample"] = "S1"
    assert "one sample with cells" in integration_section(cohort).body[0]


def test_nothing_recorded_about_the_integration(cohort):
    del cohort.adata.uns["osteotalk"]
    section = integration_section(cohort)
    assert section.tables == ()


def test_malignant_calls_add_up(cohort, inputs):
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    frame = tables(section)["table-malignant"]
    calls = cohort.cells["malignant"].value_counts()
    assert frame[["yes", "no", "undetermined"]].sum().tolist() == [calls["yes"], calls["no"], 0]
    names = ["figure-umap-malignancy", "figure-clones", "figure-cnv"]
    assert list(figures(section)) == names
    assert "60 cells" in figures(section)["figure-cnv"].alt
    calls = tables(section)["table-malignant-clusters"]
    assert calls["reason"].tolist() == inputs.malignancy["reason"].tolist()


def test_copy_number_that_found_no_change_was_computed(cohort, inputs):
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert (
        "Copy number could be computed in 4 of 5 samples. No cluster has a gained or lost arm "
        "in S4. It could not in S5: it needs positions" in section.body[0]
    )
    frame = tables(section)["table-malignant"].set_index("sample")
    assert frame["copy_number"].tolist() == ["computed"] * 3 + ["no change", "not computed"]
    assert frame.loc["S1", ["gained", "lost", "limit", "floor"]].tolist() == [
        "1p;8q",
        "3p",
        0.55,
        0.45,
    ]
    assert frame.loc["S5", "problem"] == "too few"
    assert any("does not show that the cells are normal" in text for text in section.caveats)
    known = inputs.malignancy.assign(copy_number="computed")
    section = malignancy_section(
        cohort, malignancy=known, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert section.body[0].endswith("Copy number could be computed in 5 of 5 samples.")
    assert not any("does not show that the cells are normal" in text for text in section.caveats)


def test_one_arm_is_told_as_one_arm(cohort, inputs):
    one = inputs.malignancy.assign(copy_number="one arm")
    section = malignancy_section(
        cohort, malignancy=one, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert "One arm only is changed in S1, S2, S3, S4 and S5" in section.body[0]
    assert "No cluster" not in section.body[0]


def test_arms_that_no_cell_can_be_weighed_by_are_told(cohort, inputs):
    several = inputs.malignancy.assign(copy_number="arms not weighed")
    section = malignancy_section(
        cohort, malignancy=several, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert "could be computed in 5 of 5 samples. Arms are changed in S1, S2, S3" in section.body[0]
    assert "No cluster" not in section.body[0]


def test_arms_are_shared_by_clones_or_private_to_one():
    changes = {
        "A1": {"1p": "gained", "3p": "lost"},
        "A2": {"1p": "gained", "3p": "gained"},
        "B1": {"8q": "gained"},
    }
    patients = {"A1": "A", "A2": "A", "B1": "B"}
    assert private_arms(changes, patients) == {("A1", "3p"), ("A2", "3p")}
    arms = ["Xp", "10q", "2q", "10p", "2p"]
    assert sorted(arms, key=arm_order) == ["2p", "2q", "10p", "10q", "Xp"]
    svg = clones_figure(changes, patients=patients, labels=[*changes], uid="c", alt="x")
    assert svg.count(">\u2212</text>") == 1
    assert svg.count(">+</text>") == 4
    for title in (*changes, "1p", "3p", "8q"):
        assert f">{title}</text>" in svg


def test_ligands_and_receptors_that_differ_between_clones(cohort, inputs):
    def section(genes):
        return malignancy_section(
            cohort, malignancy=inputs.malignancy, clone_genes=genes, cnv=inputs.cnv
        )

    none = section(inputs.clone_genes)
    assert "table-clone-genes" not in tables(none)
    assert none.body[-1] == (
        "1 sample with several clones. Ligands and receptors in which a clone differs from the "
        "others of its sample: S1 0. Clones of fewer than 10 malignant cells are not compared."
    )
    row = ("S1", "P1", "S1 clone 2", "CXCR4", "receptor", "2q", 40, 60, 0.8, 0.2, 2.0, 0.9, 1e-5)
    genes = pd.DataFrame([row], columns=[*inputs.clone_genes])
    found = section(genes)
    assert "of its sample: S1 1. " in found.body[-1]
    assert tables(found)["table-clone-genes"].to_numpy().tolist() == [[*row]]
    caption = next(t for t in found.tables if t.anchor == "table-clone-genes").caption
    assert "not a test over patients" in caption
    del cohort.adata.uns["osteotalk"]["malignancy"]["samples"]["S1"]["clones"]
    assert "several clones" not in " ".join(section(genes.iloc[:0]).body)


def test_clones_are_shown_with_their_arms_and_cells(cohort, inputs):
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    n = int((cohort.cells["clone"] == "S1 clone 1").sum())
    assert tables(section)["table-clones"].to_numpy().tolist() == [
        ["S1", "S1 clone 1", "1p gained;3p lost", n],
        ["S1", "S1 clone 2", "8q gained", 0],
    ]
    drawn = {figure.anchor: figure for figure in section.figures}["figure-clones"]
    assert drawn.alt.startswith("Gained and lost arms of 2 clones of 1 patient; 3 of 3 changes")
    del cohort.adata.uns["osteotalk"]["malignancy"]["samples"]["S1"]["clones"]
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert "table-clones" not in tables(section)
    assert "figure-clones" not in {figure.anchor for figure in section.figures}


def test_tumour_cells_by_markers_alone_are_counted(cohort, inputs):
    def said():
        return malignancy_section(
            cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
        ).body[1]

    total = int((cohort.named == "malignant_osteoblastic").sum())
    assert f" 0 of {total} cells scored as malignant populations" in said()
    assert said().endswith("are undetermined (0.0%).")
    tumour = cohort.cells.index[cohort.named == "malignant_osteoblastic"]
    cohort.adata.obs.loc[tumour[:10], "malignant"] = "undetermined"
    cohort.adata.obs.loc[cohort.named == "osteoclast", "malignant"] = "undetermined"
    assert f" 10 of {total} cells scored as malignant populations" in said()
    assert said().endswith(
        f"are undetermined ({10 / total:.1%}). They count as tumour cells all the same, by their "
        "markers."
    )
    cohort.adata.obs.loc[tumour[10:13], "malignant"] = "no"
    assert f"({10 / total:.1%}) and 3 not malignant." in said()
    cohort.adata.obs["population"] = "tam"
    assert said().startswith("No cell bears the name of a malignant population")


def test_names_changed_by_copy_number_are_shown(cohort, inputs):
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert section.body[2] == (
        "Copy number changed the names of 17 cells: Osteoclast to Malignant 12, Unassigned to "
        "Malignant 3 and Malignant, osteoblastic to Unassigned 2."
    )
    assert tables(section)["table-renamed"][["before", "after", "n_cells"]].values.tolist() == [
        ["osteoclast", "malignant", 12],
        ["unassigned", "malignant", 3],
        ["malignant_osteoblastic", "unassigned", 2],
    ]
    cohort.adata.uns["osteotalk"]["malignancy"]["renamed"] = {}
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    assert section.body[2] == "Copy number changed the name of no cell."
    assert "table-renamed" not in tables(section)


def test_the_rule_is_in_the_report(cohort, inputs):
    section = malignancy_section(
        cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=inputs.cnv
    )
    said = " ".join(meaning for _, meaning in section.definitions)
    for limit in (
        "0.15 (log2) and 4 standard errors",
        "at least 2 gained or lost arms",
        "counts for more than 0.95",
        "multiplies them by 5.",
        "From a probability of 0.9; not malignant up to 0.1;",
        "At least 90%",
    ):
        assert limit in said


def test_no_profile_no_heat_map(cohort, inputs):
    for cnv in (inputs.cnv[:0], inputs.cnv[:, :0]):
        section = malignancy_section(
            cohort, malignancy=inputs.malignancy, clone_genes=inputs.clone_genes, cnv=cnv.copy()
        )
        assert "figure-cnv" not in figures(section)


MEANT = [{"label": "Macro", "population": "tam"}, {"label": "T", "population": "cd8_t"}]


def labelled(inputs):
    obs = inputs.adata.obs
    word = {"tam": "Macro", "cd8_t": "T", "unassigned": "Lung", "endothelial": ""}
    obs["author_label"] = obs["population"].astype(str).map(word).fillna("Tumour")
    obs["celltypist_label"] = ""
    labels = [
        {"label": "Macro", "population": "tam"},
        {"label": "T", "population": "cd8_t"},
        {"label": "Tumour", "population": "malignant"},
    ]
    return agreement_table(obs, labels=labels, populations=inputs.populations)


def test_agreement_is_judged_against_the_labels(cohort, inputs):
    agreement = labelled(inputs)
    section = agreement_section(cohort, agreement, labels=inputs.labels)
    sizes = cohort.named.value_counts()
    # every label but 'Tumour' is right by construction; osteoclasts were called tumour
    judged = sizes[["tam", "cd8_t", "malignant_osteoblastic", "osteoclast"]].sum()
    right = judged - sizes["osteoclast"]
    assert f"At the major level {right / judged:.1%} of {judged} judged cells" in section.body[0]
    assert section.body[1].startswith("No cell has a label of CellTypist")
    frame = tables(section)["table-agreement"]
    assert frame["n_cells"].tolist() == [len(cohort.cells) - sizes["endothelial"]] * 2
    scores = tables(section)["table-scores-author"].set_index(["level", "population"])
    recall = sizes["malignant_osteoblastic"] / (
        sizes["malignant_osteoblastic"] + sizes["osteoclast"]
    )
    assert scores.loc[("major", "malignant"), "recall"] == pytest.approx(recall)
    assert scores.loc[("fine", "tam"), "precision"] == 1
    named = tables(section)["table-labels-author"].set_index("label")["note"]
    assert (named.loc["Lung"], set(named.loc["Tumour"])) == ("normal lung", {""})
    figure = figures(section)["figure-agreement-author"]
    order = [figure.svg.index(f">{name} (") for name in ("Tumour", "Macro", "T", "Lung")]
    assert order == sorted(order)
    assert "figure-agreement-celltypist" not in figures(section)


def test_nobody_labelled_a_cell(cohort, inputs):
    obs = inputs.adata.obs.assign(author_label="")
    agreement = agreement_table(obs, labels=[], populations=inputs.populations)
    section = agreement_section(cohort, agreement, labels=inputs.labels)
    assert section.body == ("No cell has a label of the authors.",)
    assert section.tables == section.figures == ()


def test_agreement_by_probability_is_shown(cohort, inputs):
    obs = cohort.adata.obs
    obs["author_label"] = obs["population"].astype(str).map({"tam": "Macro", "cd8_t": "T"})
    obs["author_label"] = obs["author_label"].fillna("T")
    section = agreement_section(
        cohort,
        agreement_table(obs, labels=MEANT, populations=inputs.populations),
        labels=pd.DataFrame(MEANT).assign(dataset="toy", note=""),
    )
    frame = tables(section)["table-reliability-author"]
    named = obs[(obs["population"] != "unassigned") & obs["major_probability"].notna()]
    assert frame["n_judged"].sum() == len(named)
    assert frame["n_right"].sum() == named["population"].isin(["tam", "cd8_t"]).sum()
    alt = figures(section)["figure-reliability-author"].alt
    assert f"{frame['probability'].iloc[-1]}: {frame['share_right'].iloc[-1]:.0%} of" in alt


def test_no_other_labels_no_section(cohort, inputs):
    assert agreement_section(cohort, inputs.agreement, labels=inputs.labels) is None
    assert 'id="agreement"' not in inputs.dataset_html()
    assert 'id="agreement"' in inputs.having(agreement=labelled(inputs)).dataset_html()


def test_figures_of_the_cells_carry_the_stamp(simulated):
    html = simulated.having(agreement=labelled(simulated)).dataset_html()
    for name in (
        "markers",
        "confidence",
        "group-markers",
        "aligned",
        "cnv",
        "umap-malignancy",
        "agreement-author",
    ):
        figure = re.search(rf'<figure id="figure-{name}".*?</figure>', html, flags=re.S)
        assert figure is not None, name
        assert "SIMULATED DATA" in figure.group(0), name
