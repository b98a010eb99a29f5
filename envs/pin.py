"""Merge the pins of several Python versions into constraints.txt and osteotalk.yaml.

For each supported Python, in a fresh virtual environment:

    pip install -e '.[test,docs]' && pip freeze --exclude-editable > freeze-3.11.txt

then `python envs/pin.py freeze-3.11.txt freeze-3.12.txt freeze-3.13.txt`.
"""

import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
CONDA_PYTHON = "3.12"


def normal(name: str) -> str:
    """Normalised name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_freeze(path: Path) -> dict[str, str]:
    """Versions by name; lines that are not plain pins are left out."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", path.read_text(), re.MULTILINE)
    return {normal(name): version for name, version in pins if normal(name) != "osteotalk"}


def marked(name: str, versions: dict[str, str], pythons: list[str]) -> list[str]:
    """Lines that pin one package, with a marker where it depends on the Python version."""
    if len(versions) == len(pythons) and len(set(versions.values())) == 1:
        return [f"{name}=={next(iter(versions.values()))}"]
    return [f"{name}=={v} ; python_version == '{p}'" for p, v in sorted(versions.items())]


def main(paths: list[str]) -> None:
    """Write both files."""
    freezes = {re.search(r"3\.\d+", Path(p).name)[0]: read_freeze(Path(p)) for p in paths}
    names = sorted(set().union(*freezes.values()))
    lines = ["# Versions that osteotalk is tested with. Written by envs/pin.py."]
    for name in names:
        found = {p: pins[name] for p, pins in freezes.items() if name in pins}
        lines += marked(name, found, list(freezes))
    (HERE / "constraints.txt").write_text("\n".join(lines) + "\n")

    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    direct = [normal(re.match(r"[A-Za-z0-9._-]+", d)[0]) for d in project["dependencies"]]
    pins = freezes[CONDA_PYTHON]
    conda = [
        "# Environment of the rules, for `snakemake --software-deployment-method conda`.",
        "# The packages come as wheels with the pins of constraints.txt. Written by envs/pin.py.",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python={CONDA_PYTHON}",
        "  - pip",
        "  - pip:",
        *(f"      - {name}=={pins[name]}" for name in sorted(direct)),
    ]
    (HERE / "osteotalk.yaml").write_text("\n".join(conda) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
