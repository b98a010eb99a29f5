"""What must hold for every rule, script, caption and environment, read from the files."""

import re
import tomllib

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# What has been downloaded does not depend on the code or on most settings.
KEEPS_ITS_FILES = "download_file"


@pytest.fixture(scope="module")
def rules(repository):
    """Text of every rule by name, except rule all, which makes nothing itself."""
    found = {}
    folder = repository / "workflow"
    for path in [folder / "Snakefile", *(folder / "rules").glob("*.smk")]:
        parts = re.split(r"^rule (\w+):\n", path.read_text(), flags=re.MULTILINE)
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    del found["all"]
    assert len(found) >= 10
    return found


@pytest.fixture(scope="module")
def scripts(repository):
    return {p.stem: p.read_text() for p in (repository / "workflow" / "scripts").glob("*.py")}


def test_every_rule_declares_everything(rules):
    needed = ["output", "log", "benchmark", "conda", "threads", "resources", "params", "script"]
    lacking = {
        name: [word for word in needed if f"\n    {word}:" not in text]
        for name, text in rules.items()
    }
    assert {name: words for name, words in lacking.items() if words} == {}
    for name, text in rules.items():
        assert text.lstrip().startswith('"""'), f"rule {name} has no docstring"
        assert f'code=code_digest("{name}")' in text or name == KEEPS_ITS_FILES
        assert "mem_mb=" in text


def test_logs_and_benchmarks_are_unique(rules):
    for word in ("log", "benchmark"):
        paths = [
            re.search(rf'\n    {word}:\n        "([^"]+)"', text)[1] for text in rules.values()
        ]
        assert len(set(paths)) == len(paths)
    assert all(
        re.search(r'log:\n        "logs/(\w+)', text)[1] == name for name, text in rules.items()
    )


def test_rules_and_scripts_match_one_to_one(rules, scripts):
    used = {name: re.search(r'"\.\./scripts/(\w+)\.py"', text)[1] for name, text in rules.items()}
    assert all(name == script for name, script in used.items())
    assert set(used.values()) == set(scripts)


def test_scripts_read_call_write(scripts):
    for name, text in scripts.items():
        assert len(text.splitlines()) <= 40, name
        assert not re.search(r"^\s*(def|class) ", text, re.MULTILINE), name
        assert "snakemake.config" not in text or name == KEEPS_ITS_FILES, name
        assert "with job_log(snakemake):" in text, name
        assert text.startswith(f'"""Rule {name}: '), name


def test_snakefile_is_a_contents_page(repository):
    text = (repository / "workflow" / "Snakefile").read_text()
    assert len(text.splitlines()) <= 60
    included = re.findall(r'include: "rules/(\w+)\.smk"', text)
    assert set(included) == {p.stem for p in (repository / "workflow" / "rules").glob("*.smk")}


def test_no_file_is_looked_for_in_the_folder_of_an_outer_workflow(repository):
    """workflow.basedir is that of the outer workflow inside a module."""
    for path in (repository / "workflow").rglob("*"):
        if path.suffix in (".smk", ".py") or path.name == "Snakefile":
            lines = path.read_text().splitlines()
            code = "\n".join(line for line in lines if not line.startswith("#"))
            assert not re.search(r"workflow\.(basedir|main_snakefile)|scriptdir", code), path


def test_captions_exist_and_are_used(repository, rules):
    folder = repository / "workflow" / "report"
    used = set(re.findall(r'caption="\.\./report/(\w+\.rst)"', "".join(rules.values())))
    assert used | {"workflow.rst"} == {p.name for p in folder.glob("*.rst")}


def pins(repository, python):
    environment = {"python_version": python}
    found = {}
    for line in (repository / "envs" / "constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        assert re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.+!]+( ; python_version == '3\.\d+')?", line)
        pin, _, marker = line.partition(" ; ")
        if not marker or Marker(marker).evaluate(environment):
            name, _, version = pin.partition("==")
            assert name not in found, f"{name} is pinned twice for Python {python}"
            found[name] = version
    return found


@pytest.fixture(scope="module")
def pyproject(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_dependency_is_pinned_within_its_range(repository, pyproject, python):
    found = pins(repository, python)
    extras = pyproject["optional-dependencies"]
    for text in [*pyproject["dependencies"], *extras["test"], *extras["docs"]]:
        requirement = Requirement(text)
        version = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), text


def test_conda_environment_agrees_with_the_constraints(repository, pyproject):
    conda = yaml.safe_load((repository / "envs" / "osteotalk.yaml").read_text())["dependencies"]
    python = conda[0].removeprefix("python=")
    wheels = next(item["pip"] for item in conda if isinstance(item, dict))
    found = pins(repository, python)
    names = []
    for pin in wheels:
        name, _, version = pin.partition("==")
        assert found[name] == version, pin
        names.append(name)
    wanted = {canonicalize_name(Requirement(d).name) for d in pyproject["dependencies"]}
    assert set(names) == wanted


def test_config_readme_names_every_key_and_column(repository):
    text = (repository / "config" / "README.md").read_text()
    schemas = repository / "workflow" / "schemas"

    def keys(schema, path=()):
        for name, rule in schema["properties"].items():
            yield ".".join((*path, name)), rule
            if "properties" in rule:
                yield from keys(rule, (*path, name))

    config = yaml.safe_load((schemas / "config.schema.yaml").read_text())
    for key, rule in keys(config):
        if "properties" not in rule:
            assert f"| `{key}` | {rule['description']} |" in text
    for path in sorted(schemas.glob("*.schema.yaml")):
        if path.stem == "config.schema":
            continue
        schema = yaml.safe_load(path.read_text())
        section = text.split(f"`{path.name.removesuffix('.schema.yaml')}.tsv`", 1)[1]
        for column, rule in schema["properties"].items():
            assert f"| `{column}` | {rule['description']} |" in section, (path.name, column)


def test_nothing_names_a_machine_or_a_registry(repository):
    # written as patterns, so that this file does not contain what it looks for
    unwanted = re.compile(r"/(home|root)\b|py[p]i[.]org|python[h]osted")
    for path in repository.rglob("*"):
        hidden = any(p.startswith(".") and p != ".ci" for p in path.relative_to(repository).parts)
        if path.is_file() and not hidden and path.suffix in (
            ".py", ".md", ".yaml", ".tsv", ".toml", ".txt", ".smk", ".cff", ".rst", ""
        ):  # fmt: skip
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not unwanted.search(text), path
