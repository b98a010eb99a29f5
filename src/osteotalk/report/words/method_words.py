"""Clauses of the methods that come and go with the settings."""

from collections.abc import Mapping

from osteotalk.report.words.text import setting

Settings = Mapping[str, object]


def clause(config: Settings, path: str, template: str) -> str:
    """Template filled with a setting; empty where the setting is absent."""
    value = setting(config, path)
    return "" if value is None else template.format(value)


def joined(*clauses: str) -> str:
    """Clauses that are there, in brackets and separated by semicolons; empty if none is."""
    present = [part for part in clauses if part]
    return f" ({'; '.join(present)})" if present else ""


def version(provenance: Settings, package: str) -> str:
    """Package with its version, or the name alone where the version is not recorded."""
    packages = provenance.get("packages")
    found = packages.get(package) if isinstance(packages, Mapping) else None
    return f"{package} {found}" if found else package
