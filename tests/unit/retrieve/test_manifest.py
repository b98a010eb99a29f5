import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteotalk.retrieve import RetrieveError, downloads, read_manifest, write_manifest

HEADER = "file\turl\tbytes\tsha256\tretrieved_at\n"
TIME = "2025-01-31T12:00:00Z"


def record(name, *, size=5, digest="a" * 64):
    return {
        "file": name,
        "url": f"https://x.org/{name}",
        "bytes": size,
        "sha256": digest,
        "retrieved_at": TIME,
    }


def test_no_manifest_yet(tmp_path):
    assert read_manifest(tmp_path / "manifest.tsv") == {}


def test_written_sorted_and_read_back(tmp_path):
    path = tmp_path / "manifest.tsv"
    write_manifest([record("b.tar"), record("a.tar")], path, earlier={})
    assert path.read_text() == HEADER + "".join(
        f"{name}\thttps://x.org/{name}\t5\t{'a' * 64}\t{TIME}\n" for name in ("a.tar", "b.tar")
    )
    assert read_manifest(path) == {n: record(n) for n in ("a.tar", "b.tar")}


def test_records_by_path(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        records = [record(f"{name}.tar"), record("other")]
        write_manifest(records, tmp_path / name / "manifest.tsv", earlier={})
    manifests = [str(tmp_path / name / "manifest.tsv") for name in ("one", "two", "none")]
    wanted = [str(tmp_path / "two" / "two.tar"), str(tmp_path / "two" / "other"), "elsewhere"]
    assert downloads(manifests, wanted) == {
        wanted[0]: record("two.tar"),
        wanted[1]: record("other"),
    }


def test_earlier_rows_are_kept_and_replaced(tmp_path):
    path = tmp_path / "manifest.tsv"
    earlier = {"a": record("a"), "b": record("b")}
    write_manifest([record("b", size=7), record("c")], path, earlier=earlier)
    assert read_manifest(path) == {"a": record("a"), "b": record("b", size=7), "c": record("c")}


def test_damaged_lines_are_all_named(tmp_path):
    path = tmp_path / "manifest.tsv"
    good = f"a\tu\t5\t{'a' * 64}\t{TIME}"
    lines = [
        good,
        "b\tu\t5",
        f"a\tu\t5\t{'a' * 64}\t{TIME}",
        f"c\tu\tfive\t{'a' * 64}\t{TIME}",
        f"d\tu\t5\t{'A' * 64}\t{TIME}",
        f"e\tu\t5\t{'a' * 64}\tyesterday",
        f"\tu\t5\t{'a' * 64}\t{TIME}",
    ]
    path.write_text(HEADER + "\n".join(lines) + "\n")
    with pytest.raises(RetrieveError) as caught:
        read_manifest(path)
    assert str(caught.value) == (
        f"{path} is damaged: line 3: 3 columns instead of 5; line 4: a is listed a second time; "
        f'line 5: bytes is "five", not a whole number; line 6: sha256 is "{"A" * 64}", not 64 '
        f'hexadecimal digits in lower case; line 7: retrieved_at is "yesterday", not a UTC time '
        f"such as 2025-01-31T12:00:00Z; line 8: no file. Restore it from a copy, or delete these "
        f"lines (their files are then accepted as they come)"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "line 1: expected the columns file, url, bytes, sha256, retrieved_at"),
        (b"file\turl\n", "found file, url; restore"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_no_manifest_at_all(tmp_path, text, words):
    path = tmp_path / "manifest.tsv"
    path.write_bytes(text)
    with pytest.raises(RetrieveError, match=words):
        read_manifest(path)


def test_two_records_of_one_file(tmp_path):
    with pytest.raises(RetrieveError, match="two downloads have the file name a "):
        write_manifest([record("a"), record("a")], tmp_path / "m.tsv", earlier={})
    assert not list(tmp_path.iterdir())


def test_a_tab_in_a_value(tmp_path):
    with pytest.raises(RetrieveError, match=r"the record of 'a\\tb' has a tab or a line break"):
        write_manifest([record("a\tb")], tmp_path / "m.tsv", earlier={})


names = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1)


@given(st.dictionaries(names, st.integers(0, 2**50)), st.dictionaries(names, st.integers(0, 9)))
def test_what_is_written_is_read(tmp_path_factory, new, old):
    path = tmp_path_factory.mktemp("m") / "manifest.tsv"
    earlier = {name: record(name, size=size) for name, size in old.items()}
    write_manifest([record(n, size=s) for n, s in new.items()], path, earlier=earlier)
    assert read_manifest(path) == {n: record(n, size=s) for n, s in (old | new).items()}
