"""Retrieve files over HTTP(S): cached, resumed, checked."""

from osteotalk.retrieve.download import fetch
from osteotalk.retrieve.errors import RetrieveError
from osteotalk.retrieve.http import Limits
from osteotalk.retrieve.manifest import downloads, read_manifest, write_manifest
from osteotalk.retrieve.rows import download_row
from osteotalk.retrieve.scpca import TOKEN_VARIABLE, scpca_download_url
from osteotalk.retrieve.scpca import token as scpca_token

__all__ = [
    "TOKEN_VARIABLE",
    "Limits",
    "RetrieveError",
    "download_row",
    "downloads",
    "fetch",
    "read_manifest",
    "scpca_download_url",
    "scpca_token",
    "write_manifest",
]
