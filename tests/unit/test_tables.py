import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
import yaml

from osteotalk import tables
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.interactions.methods import METHODS
from osteotalk.interactions.pairs.resource import renew_pairs
from osteotalk.tables.cells import date_problems
from osteotalk.tables.ids import PAGES

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"


@pytest.fixture
def config(repository):
    return yaml.safe_load((repository / "config" / "config.yaml").read_text())


@pytest.fixture
def paths(repository, config, tmp_path):
    """Copies of the shipped tables, free to be spoiled."""
    copies = {}
    for name, path in config["tables"].items():
        copies[name] = tmp_path / f"{name}.tsv"
        copies[name].write_bytes((repository / path).read_bytes())
    return copies


def load(paths, datasets=("simulated_os",), workdir="."):
    return tables.load_tables(paths, SCHEMAS, datasets=list(datasets), workdir=workdir)


def test_shipped_tables_load(paths):
    loaded = load(paths)
    assert len(loaded.claims) == 101
    assert loaded.claims["claim_id"].tolist() == [f"C{i:03d}" for i in range(1, 102)]
    assert loaded.claims.loc[loaded.claims["kind"] == "not_testable", "reason"].ne("").all()


def test_index_is_the_line_in_the_file(paths):
    lines = paths["samples"].read_text().splitlines()
    paths["samples"].write_text("\n".join([lines[0], "# a comment", "", *lines[1:]]) + "\n")
    loaded = load(paths)
    assert loaded.samples.index[0] == 4


def test_a_cell_spelled_na_stays_text(paths):
    paths["samples"].write_text(paths["samples"].read_text().replace("\tP1\t", "\tNA\t"))
    assert "NA" in set(load(paths).samples["patient"])


def append(path, *cells, **named):
    """Add a row: its first cells, and others by their column."""
    header = path.read_text().splitlines()[0].split("\t")
    row = dict(zip(header, cells, strict=False)) | named
    with path.open("a") as stream:
        stream.write("\t".join(row.get(column, "") for column in header) + "\n")


@pytest.mark.parametrize(
    ("table", "cells", "message"),
    [
        (
            "samples",
            ["simulated_os", "OS1", "P9", "primary", ""],
            "dataset 'simulated_os', sample 'OS1' is in the table already",
        ),
        (
            "samples",
            ["simulated_oz", "X1", "P9", "primary", ""],
            "dataset 'simulated_oz' is not in the table of datasets; closest: 'simulated_os'",
        ),
        (
            "markers",
            ["osteo_clast", "CTSK", "", "10.1/x"],
            "source '10.1/x' is not allowed (DOIs joined by ';')",
        ),
        (
            "markers",
            ["osteo_clast", "CTSB", "", "10.1038/x"],
            "population 'osteo_clast' is not in the table of populations; closest: 'osteoclast'",
        ),
        (
            "markers",
            ["osteoclast", "CTSB", "plus", "10.1038/x"],
            "sign 'plus' is not one of",
        ),
        (
            "markers",
            ["osteoclast", "2-Sep", "", "10.1038/x"],
            "gene '2-Sep' looks like a date; did a spreadsheet change a gene symbol (SEPTIN2)?",
        ),
        (
            "populations",
            ["x", "X", "mregdc", "", "#123456"],
            "parent 'mregdc' is a state of a population and cannot have others below",
        ),
        (
            "simulation_populations",
            ["mregdc", "primary", "osteoblastic", "0.1", "0.1"],
            "population 'mregdc' is a state of a population and cannot stand here",
        ),
        ("files", ["simulated_os", "OS1", "matrx", "x"], "role 'matrx' is not one of"),
        ("routes", ["ABC1", "secretd", "x", "INF"], "route 'secretd' is not one of secreted, "),
        ("routes", ["CCL*", "matrix", "x", "INF"], "ligand 'CCL*' is in the table already"),
        ("routes", ["*", "matrix", "x", "INF"], "ligand '*' is not allowed (gene symbol, "),
        ("routes", ["LAMA1_L*", "matrix", "x", "INF"], "ligand 'LAMA1_L*' is not allowed"),
        ("routes", ["ABC1", "matrix", "", "INF"], "basis is empty"),
        ("routes", ["ABC1", "matrix", "x", "SEC"], "source 'SEC' is not allowed (DOIs joined"),
        ("routes", ["2-Sep", "matrix", "x", "INF"], "ligand '2-Sep' looks like a date"),
        (
            "populations",
            ["x", "X", "", "CL:1", "#123456"],
            "cell_ontology_id 'CL:1' is not allowed",
        ),
        ("populations", ["x", "X", "y", "", "#123456"], "parent 'y' is not in the table"),
        ("populations", ["unassigned", "X", "", "", "#123456"], "population 'unassigned' is not"),
    ],
)
def test_bad_rows_are_named_with_their_line(paths, table, cells, message):
    append(paths[table], *cells)
    line = len(paths[table].read_text().splitlines())
    with pytest.raises(tables.TableError) as error:
        load(paths)
    assert f"line {line}: " in str(error.value)
    assert message in str(error.value)
    assert str(paths[table]) in str(error.value)


LIMITS = {
    "min_counts": (["0", "1500"], ["many", "-1", "10.5", "1e3"]),
    "min_genes": (["1", "300"], ["x", "-1", "0.5"]),
    "max_pct_mito": (["0.5", "7", "05", "99.95", "100", "100.0"], ["0", "0.0", "120", "100.1"]),
    "doublet_rate": (["0", "0.0", "0.05", "0.999"], ["1", "1.5", "nan", "5", "-0.1", ".05"]),
}


@pytest.mark.parametrize("column", LIMITS)
def test_limits_of_a_sample_lie_in_their_range(paths, column):
    text = paths["samples"].read_text()
    good, bad = LIMITS[column]
    for value in good:
        paths["samples"].write_text(text)
        append(paths["samples"], "gse198896", "X", "P9", "primary", **{column: value})
        assert load(paths).samples[column].iloc[-1] == value
    for value in bad:
        paths["samples"].write_text(text)
        append(paths["samples"], "gse198896", "X", "P9", "primary", **{column: value})
        line = len(paths["samples"].read_text().splitlines())
        with pytest.raises(tables.TableError) as error:
            load(paths)
        assert f"{paths['samples']} has 1 problem" in str(error.value)
        assert f"line {line}: {column} '{value}' is not allowed" in str(error.value)


@pytest.mark.parametrize(
    ("symbol", "today"),
    [
        ("1-Mar", " (MARCHF1)"),
        ("Sep-07", " (SEPTIN7)"),
        ("MAR1", " (MARCHF1)"),
        ("sept-2", " (SEPTIN2)"),
        ("1-Dec", " (DELEC1)"),
        ("4-Oct", ""),
        ("7-Sep-2024", " (SEPTIN7)"),
        ("2023-03-01", ""),
    ],
)
def test_symbols_that_a_spreadsheet_turned_into_dates(symbol, today):
    frame = pd.DataFrame({"gene": ["CD4", symbol]}, index=[2, 3])
    assert date_problems(frame, ["gene"]) == [
        f"line 3: gene '{symbol}' looks like a date; did a spreadsheet change a gene "
        f"symbol{today}? Write today's symbol in a text editor"
    ]


@pytest.mark.parametrize("symbol", ["SEPT2", "SEPTIN7", "MARCHF1", "DEC1", "NOV", "MARS1", "OCT4"])
def test_symbols_that_are_no_dates(symbol):
    assert date_problems(pd.DataFrame({"gene": [symbol]}), ["gene"]) == []


def test_a_short_row(paths):
    with paths["samples"].open("a") as stream:
        stream.write("simulated_os\tX\tP1\n")
    with pytest.raises(tables.TableError, match="3 cells, but the header has 17"):
        load(paths)


def test_all_problems_are_reported_at_once(paths):
    append(paths["samples"], "simulated_os", "bad name", "", "Primary", "")
    append(paths["files"], "simulated_os", "OS1", "nonsense", "")
    with pytest.raises(tables.TableError) as error:
        load(paths)
    text = str(error.value)
    assert f"{paths['samples']} has 3 problems" in text
    assert f"{paths['files']} has 2 problems" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("dataset\tsample", "dataset\tsampel"), "column 'sampel' is not known; closest: 'sample'"),
        (("\tcondition", ""), "column 'condition' is missing"),
    ],
)
def test_bad_header(paths, change, message):
    header, *rest = paths["samples"].read_text().splitlines()
    paths["samples"].write_text("\n".join([header.replace(*change), *rest]) + "\n")
    with pytest.raises(tables.TableError, match="line 1") as error:
        load(paths)
    assert message in str(error.value)


def test_missing_table(paths):
    paths["claims"].unlink()
    with pytest.raises(tables.TableError, match="the file does not exist"):
        load(paths)


def test_unknown_dataset_names_the_closest(paths):
    message = "'simulated_so' of the config.*Near matches: 'simulated_os'"
    with pytest.raises(tables.TableError, match=message):
        load(paths, ["simulated_so"])


@pytest.fixture
def local(paths, tmp_path):
    """A local cohort of one h5ad file with two samples."""
    append(paths["datasets"], "mine", "Mine", "local", sample_key="patient")
    append(paths["samples"], "mine", "A", "A", "primary", "")
    append(paths["samples"], "mine", "B", "B", "primary", "")
    append(paths["files"], "mine", "", "h5ad", "mine.h5ad")
    (tmp_path / "mine.h5ad").write_bytes(b"x")
    return paths


def test_one_file_serves_all_samples(local, tmp_path):
    loaded = load(local, ["mine"], tmp_path)
    assert tables.sample_files(loaded, "mine", "B") == {"h5ad": "mine.h5ad"}


def test_missing_and_empty_files(local, tmp_path):
    (tmp_path / "mine.h5ad").write_bytes(b"")
    with pytest.raises(tables.TableError, match=r"file 'mine.h5ad' is empty"):
        load(local, ["mine"], tmp_path)
    (tmp_path / "mine.h5ad").unlink()
    with pytest.raises(tables.TableError, match=r"file 'mine.h5ad' does not exist"):
        load(local, ["mine"], tmp_path)
    load(local, ["simulated_os"], tmp_path)  # not selected, so not needed


def test_shared_file_needs_a_sample_key(local, tmp_path):
    local["datasets"].write_text(local["datasets"].read_text().replace("\tpatient\t", "\t\t"))
    with pytest.raises(tables.TableError, match="sample_key must name the column"):
        load(local, ["mine"], tmp_path)


def test_incomplete_triplet(local, tmp_path):
    text = local["files"].read_text().replace("mine\t\th5ad", "mine\tA\tmatrix")
    local["files"].write_text(text)
    with pytest.raises(tables.TableError, match="sample 'A' of dataset 'mine' needs the files"):
        load(local, ["mine"], tmp_path)


def test_leaves_of_a_parent_and_of_a_leaf():
    frame = pd.DataFrame(
        [("a", "", ""), ("b", "a", ""), ("c", "a", ""), ("d", "c", ""), ("e", "d", "state")],
        columns=["population", "parent", "level"],
    )
    assert tables.leaves(frame, "a") == ["b", "d"]
    assert tables.leaves(frame, "d") == ["d"]
    assert tables.within(frame, "a") == ["a", "b", "c", "d"]
    assert tables.within(frame, "d") == ["d"]
    assert tables.above(frame, "d") == ["c", "a"]
    assert tables.above(frame, "a") == tables.above(frame, "unknown") == []


def test_a_gene_that_is_twice_in_the_markers_of_a_population(paths):
    lines = paths["markers"].read_text().splitlines()
    first = next(i for i, row in enumerate(lines, 1) if row.startswith("osteoclast\tCTSK\t"))
    append(paths["markers"], "osteoclast", "CTSK", "-", "10.1038/x")
    told = (
        f"line {len(lines) + 1}: population 'osteoclast', gene 'CTSK' is in the table already, "
        f"in line {first}"
    )
    with pytest.raises(tables.TableError, match=re.escape(told)) as error:
        load(paths)
    assert f"{paths['markers']} has 1 problem:" in str(error.value)


@pytest.mark.parametrize(
    ("added", "told", "present"),
    [
        # a child, a grandchild and a state of a population that has the gene
        (("dc", "LYZ", "-"), "against 'dc'", "for 'myeloid', which is above it"),
        (("pdc", "LYZ", "-"), "against 'pdc'", "for 'myeloid', which is above it"),
        (("mregdc", "CD1C", "-"), "against 'mregdc'", "for 'dc', which is above it"),
        # and the other way round
        (("t_nk", "CD3D", "+"), "for 't_nk'", "against 'nk', which is below it"),
        (("dc", "MS4A1", ""), "for 'dc'", "against 'pdc', which is below it"),
    ],
)
def test_a_marker_that_its_own_child_denies(paths, added, told, present):
    lines = paths["markers"].read_text().splitlines()
    name = present.split("'")[1]
    sign = "-" if present.startswith("against") else ""
    there = next(
        i for i, row in enumerate(lines, 1) if row.startswith(f"{name}\t{added[1]}\t{sign}")
    )
    append(paths["markers"], *added, "10.1038/x")
    message = (
        f"line {len(lines) + 1}: gene '{added[1]}' speaks {told}, and in line {there} {present}; a "
        "gene of a population speaks for all below it: keep one of the two rows"
    )
    with pytest.raises(tables.TableError, match=re.escape(message)) as error:
        load(paths)
    assert str(paths["markers"]) in str(error.value)


def test_a_marker_that_a_sibling_or_another_child_denies_is_allowed(paths):
    append(paths["markers"], "tam", "CD1C", "-", "10.1038/x")  # a sibling has it
    append(paths["markers"], "dc", "CD8A", "-", "10.1038/x")  # against both branches
    append(paths["markers"], "mregdc", "C1QA", "-", "10.1038/x")  # parent and state agree
    load(paths)


def test_circular_parents(paths):
    append(paths["populations"], "x", "X", "y", "", "#123456")
    append(paths["populations"], "y", "Y", "x", "", "#123456")
    with pytest.raises(tables.TableError, match="'x' is its own ancestor"):
        load(paths)


def wrong_values(schema, path=()):
    """Each key of the config schema with a value that must be refused."""
    for key, rule in schema["properties"].items():
        here = (*path, key)
        if rule["type"] == "object":
            yield here, "text"
            yield from wrong_values(rule, here) if "properties" in rule else ()
        else:
            wrong = {"string": 1, "integer": 1.5, "number": "1", "boolean": "yes", "array": "x"}
            yield here, wrong[rule["type"]]
            if "minimum" in rule:
                yield here, rule["minimum"] - 1
            if "maximum" in rule:
                yield here, rule["maximum"] + 1
            if "exclusiveMinimum" in rule:
                yield here, rule["exclusiveMinimum"]


CONFIG_SCHEMA = tables.read_schema(SCHEMAS / "config.schema.yaml")


@pytest.mark.parametrize(("path", "value"), list(wrong_values(CONFIG_SCHEMA)))
def test_config_refuses_wrong_values(config, path, value):
    place = config
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(tables.TableError, match=r"\.".join(path)):
        tables.check_config(config, CONFIG_SCHEMA)


def all_objects(schema, path=()):
    if "properties" in schema:
        yield path
        for key, rule in schema["properties"].items():
            yield from all_objects(rule, (*path, key))


@pytest.mark.parametrize("path", list(all_objects(CONFIG_SCHEMA)))
def test_config_refuses_unknown_and_missing_keys_at_every_level(config, path):
    tables.check_config(config, CONFIG_SCHEMA)
    place = config
    for key in path:
        place = place[key]
    place["no_such_key"] = 1
    with pytest.raises(tables.TableError, match="no_such_key"):
        tables.check_config(config, CONFIG_SCHEMA)
    del place["no_such_key"]
    key = next(iter(place))
    del place[key]
    with pytest.raises(tables.TableError, match=f"'{key}' is a required property"):
        tables.check_config(config, CONFIG_SCHEMA)


def test_config_error_suggests_the_key(config):
    config["interactions"]["expr_porp"] = 0.1
    with pytest.raises(tables.TableError, match="closest: 'expr_prop'"):
        tables.check_config(config, CONFIG_SCHEMA)


@pytest.mark.parametrize(("place", "rank"), [(0, "magnitude"), (1, "specificity")])
def test_config_refuses_methods_that_leave_a_rank_empty(config, place, rank):
    with_rank = [name for name, method in METHODS.items() if getattr(method, rank)]
    rules = CONFIG_SCHEMA["properties"]["interactions"]["properties"]["methods"]["allOf"]
    assert rules[place]["contains"]["enum"] == with_rank
    without = [name for name in METHODS if name not in with_rank]
    for names in (without, without[:1]):
        config["interactions"]["methods"] = names
        expected = (
            f"interactions.methods: {names} has no method for the rank of {rank}; add one of "
            f"{', '.join(with_rank)}"
        )
        with pytest.raises(tables.TableError, match=rf"1 problem:\n  {re.escape(expected)}$"):
            tables.check_config(config, CONFIG_SCHEMA)


def test_config_takes_methods_that_fill_both_ranks_together(config):
    config["interactions"]["methods"] = ["singlecellsignalr", "log2fc"]
    tables.check_config(config, CONFIG_SCHEMA)


def test_every_table_schema_is_closed_and_described():
    for name in tables.NAMES:
        schema = tables.read_schema(SCHEMAS / f"{name}.schema.yaml")
        assert schema["additionalProperties"] is False
        assert all("description" in rule for rule in schema["properties"].values())


def test_only_one_simulated_dataset(paths):
    append(paths["datasets"], "other_sim", "Other", "simulated", "", "", "", "")
    with pytest.raises(tables.TableError, match="only one dataset can be simulated"):
        load(paths)


def test_planted_edges_name_a_condition_of_the_simulated_samples(paths):
    text = paths["simulation_edges"].read_text().replace("lung_metastasis", "liver_metastasis")
    paths["simulation_edges"].write_text(text)
    with pytest.raises(tables.TableError, match="where 'liver_metastasis' is not in the table"):
        load(paths)


def test_own_tables_need_no_simulation(local, tmp_path):
    for name in ("datasets", "samples", "files"):
        lines = local[name].read_text().splitlines()
        kept = [lines[0], *(line for line in lines[1:] if line.startswith("mine\t"))]
        local[name].write_text("\n".join(kept) + "\n")
    load(local, ["mine"], tmp_path)


def test_one_file_cannot_be_two_patients(local, tmp_path):
    text = local["files"].read_text()
    local["files"].write_text(text.replace("mine\t\th5ad", "mine\t\th5"))
    with pytest.raises(tables.TableError, match="given for all 2 samples, but only an h5ad file"):
        load(local, ["mine"], tmp_path)
    local["files"].write_text(text.replace("mine\t\th5ad\tmine.h5ad", "mine\tA\th5\tx.h5"))
    append(local["files"], "mine", "B", "h5", "x.h5")
    local["datasets"].write_text(local["datasets"].read_text().replace("\tpatient\t", "\t\t"))
    with pytest.raises(tables.TableError, match="'x.h5' is given for more than one sample"):
        load(local, ["mine"], tmp_path)


@pytest.mark.parametrize("patient", ["P;1", "PA ", " PA", ""])
def test_patient_ids_that_would_be_miscounted(paths, patient):
    append(paths["samples"], "simulated_os", "X", patient, "primary", "")
    with pytest.raises(tables.TableError, match="patient"):
        load(paths)


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        ("index", "is what a page of the report or a folder beside them is called"),
        ("methods", "is what a page of the report or a folder beside them is called"),
        ("confidence", "is what a page of the report or a folder beside them is called"),
        ("provenance", "is what a page of the report or a folder beside them is called"),
        ("claims", "is what a page of the report or a folder beside them is called"),
        ("figures", "is what a folder of the results is called"),
        ("partial_report", "is what a folder of the results is called"),
        ("nul", "is what Windows calls a device"),
        ("x" * 101, "has 101 letters, and 100 are the most"),
    ],
)
def test_dataset_ids_that_name_something_else(paths, dataset, reason):
    line = len(paths["datasets"].read_text().splitlines()) + 1
    append(paths["datasets"], dataset, "X", "local", "", "", "", "")
    with pytest.raises(tables.TableError) as error:
        load(paths)
    assert str(error.value) == (
        f"{paths['datasets']} has 1 problem:\n  line {line}: dataset '{dataset}' names files, and "
        f"{reason}; give it another id here and wherever it is named"
    )


def test_capital_letters_are_refused_in_ids_of_datasets(paths):
    append(paths["datasets"], "Methods", "X", "local", "", "", "", "")
    with pytest.raises(tables.TableError, match="dataset 'Methods' is not allowed .id; small"):
        load(paths)


def test_no_id_is_what_a_page_of_the_report_is_called(repository):
    """The pages are those that the modules of the report name."""
    found = (repository / "src/osteotalk/report/pages").glob("*.py")
    pages = {name for path in found for name in re.findall(r'"(\w+)\.html"', path.read_text())}
    assert pages == {"index", "confidence", "methods", "provenance"}
    assert pages <= set(PAGES)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("os1", "differs from 'OS1' in line 2 only by capital letters"),
        ("Con.1", "is what Windows calls a device"),
        ("S.", "ends in '.', which Windows leaves out"),
        ("S" * 300, "has 300 letters, and 100 are the most"),
    ],
)
def test_sample_ids_that_cannot_name_a_file(paths, sample, reason):
    append(
        paths["samples"], dataset="simulated_os", sample=sample, patient="X", condition="primary"
    )
    with pytest.raises(tables.TableError) as error:
        load(paths)
    assert f"sample '{sample}' names files, and {reason}; give it another id" in str(error.value)


def test_samples_of_two_datasets_may_be_called_alike(paths):
    for dataset in ("one", "two"):
        append(paths["datasets"], dataset, "X", "local")
    append(paths["samples"], dataset="one", sample="s1", patient="X", condition="primary")
    append(paths["samples"], dataset="two", sample="S1", patient="X", condition="primary")
    assert len(load(paths).samples) > 2


def test_claims_that_differ_only_by_capital_letters(paths):
    text = paths["claims"].read_text().splitlines()
    row = next(line for line in text if line.startswith("C001\t"))
    first = [row.replace("C001", name, 1) for name in ("Cx", "CX")]
    paths["claims"].write_text("\n".join([*text, *first]) + "\n")
    message = f"claim_id 'CX' names files, and differs from 'Cx' in line {len(text) + 1} only by"
    with pytest.raises(tables.TableError, match=message):
        load(paths)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("GSE152048", r"Near matches: 'gse152048' \(GSE152048: treated primary"),
        ("gse15204", "'gse152048'.*A new cohort needs a row in the table of datasets"),
        ("gse217792", "'gse217792' of the config is retired: Not osteosarcoma"),
    ],
)
def test_datasets_that_cannot_be_analysed_yet(paths, dataset, message):
    with pytest.raises(tables.TableError, match=message):
        load(paths, [dataset])


def test_catalogue_of_public_cohorts(paths):
    """Facts that are easily got wrong, and the addresses by the archive's pattern."""
    loaded = load(paths, ["gse152048", "gse162454", "gse270231", "gse169396", "gse252470"])
    samples = loaded.samples.set_index("sample")
    assert samples.loc["OS_4", "accession"] == "GSM5155198"
    assert samples.loc[["BC10", "BC17"], "condition"].eq("lung_metastasis").all()
    assert samples.loc[["BC11", "BC20"], "condition"].eq("recurrence").all()
    assert samples.loc[["BC17", "BC20", "BC22"], "histology"].eq("chondroblastic").all()
    own = loaded.samples.groupby("dataset")
    assert own.size()[["gse152048", "gse162454", "gse270231"]].tolist() == [11, 6, 7]
    assert own["patient"].nunique()[["gse270231", "gse252470"]].tolist() == [5, 6]
    datasets = loaded.datasets.set_index("dataset")
    assert datasets.loc["tisch_os_gse162454", "patients_of"] == "gse162454"
    assert (datasets.loc[["gse169396", "gse252470"], "combine"] == "no").all()
    remote = list(tables.remote_files(loaded).values())
    positions = {row["dataset"] for row in remote if row["role"] == "gtf"}
    human = {row["dataset"] for row in remote} - {"gse252470"}
    assert positions == human  # the positions of human genes are no use for dogs
    remote = [row for row in remote if row["role"] != "gtf"]
    urls = {row["dataset"]: row["url"] for row in remote}
    for project in ("SCPCP000017", "SCPCP000018", "SCPCP000023"):
        assert urls[project.lower()] == (
            f"https://api.scpca.alexslemonade.org/v1/ccdl-datasets/?ccdl_project_id={project}"
            "&ccdl_modality=SINGLE_CELL&format=ANN_DATA&limit=2000"
        )
    tisch = [r["url"] for r in remote if "tisch" in r["dataset"]]
    assert tisch == [
        "https://biostorage.s3.ap-northeast-2.amazonaws.com/TISCH_2022/OS_GSE162454/"
        "OS_GSE162454_expression.h5",
        "http://tisch.comp-genomics.org/static/data/OS_GSE162454/"
        "OS_GSE162454_CellMetainfo_table.tsv",
    ]
    biomart = [r for r in tables.remote_files(loaded).values() if r["role"] == "orthologs"]
    query = unquote(biomart[0]["url"].split("?query=")[1])
    names = re.findall(r'Attribute name="(\w+)"', query)
    assert names[2:] == ["hsapiens_homolog_associated_gene_name", "hsapiens_homolog_orthology_type"]
    assert 'Dataset name="clfamiliaris_gene_ensembl"' in query
    for row in tables.remote_files(loaded).values():
        accession = datasets.loc[row["dataset"], "accession"]
        name = row["path"].rsplit("/", 1)[1]
        if accession.startswith("GSE") and row["role"] == "archive":
            folder = f"https://ftp.ncbi.nlm.nih.gov/geo/series/{accession[:-3]}nnn/{accession}"
            assert row["url"] == f"{folder}/suppl/{name}"
        assert row["status"] != ""
        assert row["sources"] != ""
    everything = pd.concat([loaded.datasets, loaded.samples, loaded.files])
    unsure = everything[everything["status"].isin(["inferred", "secondary", "unverified"])]
    assert unsure["note"].ne("").all()  # says which fact is not sure


def test_retired_rows_are_kept_apart(paths):
    text = paths["samples"].read_text().splitlines(keepends=True)
    row = next(line for line in text if line.startswith("gse162454\tOS_6\t"))
    paths["samples"].write_text("".join(text).replace(row, row.replace("verified", "retired")))
    loaded = load(paths, ["gse162454"])
    assert "OS_6" not in set(loaded.samples["sample"])
    assert loaded.retired["sample"].tolist() == ["OS_6"]


def test_files_of_a_retired_sample_are_not_downloaded(paths):
    text = paths["samples"].read_text().splitlines(keepends=True)
    row = next(line for line in text if line.startswith("gse152048\tBC5\t"))
    paths["samples"].write_text("".join(text).replace(row, row.replace("verified", "retired")))
    found = [path for path in tables.remote_files(load(paths, ["gse152048"])) if "_BC" in path]
    assert len(found) == 10
    assert not any("_BC5." in path for path in found)


def test_addresses_belong_to_public_datasets_and_their_folder(paths):
    append(paths["files"], "simulated_os", "X", "h5", "resources/a.h5", url="https://x.org/a.h5")
    append(
        paths["files"], "gse162454", "", "metadata", "resources/gse162454/manifest.tsv",
        url="https://x.org/m",
    )  # fmt: skip
    with pytest.raises(tables.TableError) as error:
        load(paths)
    text = str(error.value)
    assert "dataset 'simulated_os' is simulated, so its files can have no url" in text
    assert "path 'resources/a.h5' is not allowed for a file with a url; write resources/sim" in text
    assert "path 'resources/gse162454/manifest.tsv' is not allowed" in text


def test_another_species_needs_orthologs(paths):
    text = paths["files"].read_text().splitlines(keepends=True)
    paths["files"].write_text("".join(line for line in text if "orthologs" not in line))
    with pytest.raises(tables.TableError, match="'gse252470' is of species dog and needs a file"):
        load(paths, ["gse252470"])


def test_symbols_of_the_tables_follow_those_of_the_data(paths, tmp_path):
    """Any symbol that the table calls previous is replaced, also inside complexes and pairs."""
    file = tmp_path / "symbols.tsv"
    file.write_text("symbol\tprev_symbol\tensembl_gene_id\nMYL11\tMYLPF\t\nNEW\tCXCL12|ITGAV\t\n")
    loaded = load(paths)
    renewed = tables.renew(loaded, read_symbols(file))
    assert "MYLPF" in set(loaded.markers["gene"])
    assert "MYLPF" not in set(renewed.markers["gene"])
    assert "MYL11" in set(renewed.markers["gene"])
    for old, new in zip(loaded.claims["pairs"], renewed.claims["pairs"], strict=True):
        assert new == re.sub(r"\b(CXCL12|ITGAV)\b", "NEW", old.replace("_", " ")).replace(" ", "_")
    assert not re.search(r"(^|[_;^])ITGAV", " ".join(renewed.claims["pairs"]))
    pairs = pd.DataFrame({"ligand": ["CXCL12", "SPP1"], "receptor": ["CXCR4", "ITGAV_ITGB3"]})
    assert renew_pairs(pairs, read_symbols(file)).to_numpy().tolist() == [
        ["NEW", "CXCR4"],
        ["SPP1", "NEW_ITGB3"],
    ]


def test_the_shipped_symbols_change_no_shipped_table(paths, repository):
    loaded = load(paths)
    renewed = tables.renew(loaded, read_symbols(repository / "config" / "gene_symbols.tsv"))
    for name in ("markers", "interactions", "claims", "simulation_edges"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(renewed, name))
