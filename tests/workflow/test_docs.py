"""README and the pages of docs/: every link leads somewhere, and every command is run or marked."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "config" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
# What a reader sees behind a command that no test can run.
MARKS = ("needs the network", "needs a cluster", "needs a token")
# Commands that are run here, with -n and the tables that stand before them on their page.
DRY = [
    ("README.md", "snakemake --cores 4 --configfile my.yaml -n"),
    ("config/README.md", "snakemake --cores 4 --configfile my.yaml -n"),
    ("docs/cluster.md", "snakemake --workflow-profile workflow/profiles/local"),
    (
        "docs/benchmarks.md",
        "snakemake --cores 2 results/simulated_os/truth.json results/claims/calibration.tsv",
    ),
]
FINISHED = "tests/workflow/finished/test_run.py::"
PARTIAL = "tests/workflow/finished/test_partial_report.py::test_one_of_two_cohorts_fails"
UNLOCKED = (
    "tests/workflow/test_when_a_run_stops.py::"
    "test_after_a_kill_of_snakemake_itself_the_folder_is_unlocked_and_the_run_goes_on"
)
# The other commands: the test that runs each (the same targets, on a small cohort), or the words in
# .ci/run that do.
RUN = {
    "pip install -c envs/constraints.txt -e . && snakemake --cores 2":
        f"{FINISHED}test_everything_is_made",
    "pip install -c envs/constraints.txt -e '.[test]' && pytest -n 2": '.ci/run: eval "$test_comm',
    "snakemake --cores 4 --configfile my.yaml":
        "tests/workflow/test_real_input.py::test_nsclc_seven_patients_with_few_cells",
    "snakemake --cores 2": f"{FINISHED}test_everything_is_made",
    "snakemake --cores 1 results/claims/checked.json":
        "tests/workflow/test_bad_input.py::"
        "test_claims_on_what_does_not_exist_are_refused_before_anything_is_scored",
    "snakemake --cores 2 --configfile my.yaml":
        f"{FINISHED}test_the_check_against_squidpy_runs_if_it_is_asked_for",
    "snakemake --report report.zip": f"{FINISHED}test_snakemake_report_holds_the_pages",
    "snakemake --unlock --configfile my.yaml": UNLOCKED,
    "snakemake --cores 4 --rerun-incomplete --configfile my.yaml": UNLOCKED,
    "snakemake --cores 4 --keep-going --configfile my.yaml": PARTIAL,
    "snakemake --cores 1 partial_report --configfile my.yaml": PARTIAL,
    "snakemake --cores 8 --configfile config/osteosarcoma.yaml -n | grep Download":
        "tests/workflow/test_public_cohorts.py::test_a_dry_run_lists_every_address",
    "pytest tests/conformance": '.ci/run: eval "$test_command"',
    "python3 -m venv .venv && . .venv/bin/activate": ".ci/run: python3 -m venv",
    "pip install -c envs/constraints.txt -e '.[test]'": '.ci/run: eval "${install_command}"',
    "pytest -n 2 tests/unit": '.ci/run: eval "$test_command"',
    "pytest -n 2": '.ci/run: eval "$test_command"',
    "bash .ci/run": ".ci/run: set -euo pipefail",
    "pip install -c envs/constraints.txt -e '.[docs]'":
        ".ci/run: pip install -c envs/constraints.txt -e '.[scanorama,docs]'",
    "sphinx-build -W --keep-going -n docs docs/_build": ".ci/run: sphinx-build -W --keep-going -n ",
    "python docs/make_images.py results/report":
        "tests/workflow/finished/test_images.py::test_the_pictures_of_readme",
}  # fmt: skip


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def prose(text):
    """Text without blocks of code and code within a line."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def anchors(text):
    """Anchors of the headings, as Sphinx and the pages of repositories make them."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    slugs = [
        re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", words).lower()).replace(" ", "-")
        for words in re.findall(r"^#+ (.+)$", text, re.M)
    ]
    seen = Counter()
    for slug in slugs:
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1


def dead_links(page):
    """Links to files and headings that are not there; addresses are not looked up."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.is_file() or (
            anchor and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            yield link


def commands(text):
    """Commands of the bash blocks, each with its comment."""
    for block in re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            command, _, comment = re.sub(r"\s+#", "\0", line, count=1).partition("\0")
            if command.strip() and not command.startswith("#"):
                yield command.strip(), comment


def unaccounted(text, known):
    """Commands that nothing runs and that do not say what they need."""
    return [
        command
        for command, comment in commands(text)
        if command not in known and not any(mark in comment for mark in MARKS)
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    assert list(dead_links(page)) == []


def test_dead_links_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n## One\n## A, `b` (c)\n[a](#one-1) [b](#a-b-c) [c](https://x.y) `[d](d.md)`\n"
        "[e](#two) ![f](f.png) [g](page.md#one) [h](page.md#three)\n"
    )
    assert list(dead_links(page)) == ["#two", "f.png", "page.md#three"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_is_run_by_a_test_or_says_what_it_needs(page):
    known = set(RUN) | {command for _, command in DRY}
    assert unaccounted(page.read_text(encoding="utf-8"), known) == []


def test_a_command_that_nothing_runs_is_found():
    text = "```bash\nsnakemake new   # why\npip x   # needs the network\nold # y\n# alone\n```\n"
    assert unaccounted(text, {"old"}) == ["snakemake new"]


def test_what_is_said_to_run_the_commands_is_there():
    used = {command for page in PAGES for command, _ in commands(page.read_text("utf-8"))}
    assert set(RUN) <= used, "no page has these commands any more"
    for runner in RUN.values():
        if runner.startswith(".ci/run: "):
            assert runner.removeprefix(".ci/run: ") in (ROOT / ".ci" / "run").read_text()
        else:
            path, _, test = runner.partition("::")
            assert re.search(rf"^def {test}\(", (ROOT / path).read_text(), re.M), runner


def files_before(text, command):
    """Files that a page shows, by name, before a command."""
    before = re.split(rf"^{re.escape(command)}", text, maxsplit=1, flags=re.M)[0]
    return dict(re.findall(r"^`([\w.]+)`[^\n]*\n\n```\w*\n(.*?)^```$", before, re.M | re.S))


@pytest.mark.parametrize(("page", "command"), DRY, ids=[page for page, _ in DRY])
def test_dry_run_of_a_command_with_the_tables_of_its_page(tmp_path, page, command):
    for part in ("Snakefile", "config", "envs", "src", "workflow"):
        (tmp_path / part).symlink_to(ROOT / part)
    shown = files_before((ROOT / page).read_text("utf-8"), command)
    for name, text in shown.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for row in shown.get("my_files.tsv", "").splitlines()[1:]:
        path = tmp_path / row.split("\t")[-1]
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"\x89HDF\r\n\x1a\n")
    words = command.removesuffix(" -n").replace("snakemake ", "snakemake -n --nocolor ", 1)
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(words)],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    samples = [row.split("\t")[1] for row in shown.get("my_samples.tsv", "").splitlines()[1:]]
    for sample in samples or ["OS1", "LM3"]:
        assert f"/samples/{sample}/counts.h5ad" in done.stdout + done.stderr


def test_scripts_and_options_of_the_benchmarks_exist():
    """They take long, so nothing runs them here; what the page says of them must be there."""
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    found = re.findall(r"`(?:[^`\n]*&& )?(python benchmarks/[^`\n]+)`", text)
    assert len(found) >= 15
    for command in found:
        _, script, *words = shlex.split(command)
        code = (ROOT / script).read_text()
        for word in words:
            assert not word.startswith("--") or f'"{word}"' in code, command
        if script.endswith("annotation.py"):
            assert f'"{words[-1]}"' in code, command


def test_measured_figures_are_filled_in():
    for page in PAGES:
        assert "@@" not in page.read_text("utf-8"), page


def test_the_built_pages_load_nothing_from_elsewhere(tmp_path):
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("Sphinx is not installed (pip install -c envs/constraints.txt -e '.[docs]')")
    site = tmp_path / "site"
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q"]
    done = subprocess.run(
        [*build, "-d", str(tmp_path / "cache"), str(ROOT / "docs"), str(site)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tags = r"<(?:script|img|iframe|link|source)\b[^>]*"
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))
    for path in pages:
        text = path.read_text("utf-8")
        assert not re.search(rf'{tags}(?:src|href)="(?:https?:)?//', text), path
    for path in site.rglob("*.css"):
        assert not re.search(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", path.read_text()), path
    # A page for every file, reached from the table of contents.
    for path in (ROOT / "docs").glob("*.md"):
        assert f'href="{path.stem}.html"' in (site / "genindex.html").read_text(), path
