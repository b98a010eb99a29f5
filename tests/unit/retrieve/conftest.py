"""The loopback server, and a way to fetch from it as from the archives."""

import io
import tarfile
from functools import partial

import numpy as np
import pytest

from osteotalk.retrieve import Limits, fetch

HOST = "https://ftp.example.org/"
QUICK = Limits(attempts=3, timeout=5, backoff=0.001)


@pytest.fixture
def server(loopback, monkeypatch):
    """An empty server; add files with `put`."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with loopback.serve({}) as running:
        yield running


@pytest.fixture(scope="session")
def tar():
    """A tar of 300 KB that cannot be compressed."""
    content = np.random.default_rng(0).bytes(300_000)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("GSM1_OS_1_matrix.mtx")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def archive(server, tar, tmp_path):
    """The tar on the server, and how to fetch it."""
    return Archive(server, tar, tmp_path)


class Archive:
    path = "/ftp.example.org/geo/GSE1_RAW.tar"
    url = HOST + "geo/GSE1_RAW.tar"

    def __init__(self, server, content, folder):
        self.server, self.content, self.folder = server, content, folder
        self.target = folder / "project" / "raw" / "GSE1_RAW.tar"
        self.cache = folder / "cache"
        self.cached = self.cache / "ftp.example.org" / "geo" / "GSE1_RAW.tar"
        self.part = self.cached.with_name("GSE1_RAW.tar.part")
        server.put(self.path, content)
        self.fetch = partial(
            fetch,
            self.url,
            self.target,
            cache=self.cache,
            limits=QUICK,
            mirrors=server.mirrors(HOST),
            where="config/files.tsv line 12",
        )

    def seen(self):
        return self.server.of(self.path)

    def nothing_there(self):
        """No file under its final name."""
        return not (self.target.exists() or self.target.is_symlink() or self.cached.exists())

    def nothing_kept(self):
        """Nor any part of it."""
        notes = self.part.with_name(self.part.name + ".json")
        return self.nothing_there() and not self.part.exists() and not notes.exists()

    def complete(self):
        return self.target.read_bytes() == self.cached.read_bytes() == self.content
