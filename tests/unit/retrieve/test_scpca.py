"""The portal of scPCA: a public listing, a token, a pre-signed address."""

import json
import logging
import traceback

import pytest

from osteotalk.retrieve import Limits, RetrieveError, fetch, scpca, scpca_download_url

API = "https://api.scpca.alexslemonade.org/"
LIST = "/api.scpca.alexslemonade.org/v1/ccdl-datasets/"
ONE = LIST + "abc-1/"
URL = (
    API + "v1/ccdl-datasets/?ccdl_project_id=SCPCP000017&ccdl_modality=SINGLE_CELL&format=ANN_DATA"
    "&limit=2000"
)
TOKEN = "t0ken-of-a-person"
GOOD = {"id": "abc-1", "ccdl_name": "SINGLE_CELL_ANN_DATA", "computed_file": {"id": 1}}
MERGED = {"id": "abc-2", "ccdl_name": "SINGLE_CELL_ANN_DATA_MERGED", "computed_file": {"id": 2}}
BARE = {"id": "abc-3", "ccdl_name": "SINGLE_CELL_ANN_DATA", "computed_file": None}
QUICK = Limits(attempts=2, timeout=5, backoff=0.001)


def body(value):
    return json.dumps(value).encode()


@pytest.fixture
def portal(server, monkeypatch):
    monkeypatch.setenv("SCPCA_TOKEN", f" {TOKEN}\n")
    server.put(LIST, body({"count": 3, "next": None, "results": [MERGED, GOOD, BARE]}))
    server.put(ONE, body(GOOD | {"download_url": f"{server.url}/s3/p.zip?X-Amz-Signature=s3cret"}))
    server.put("/s3/p.zip", b"PK\x03\x04" + bytes(5000))
    return server


def ask(portal):
    return scpca_download_url(URL, mirrors=portal.mirrors(API), limits=QUICK)


def refusal(portal, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RetrieveError) as caught:
        ask(portal)
    error, said = caught.value, caplog.text
    while error is not None:
        said += "".join(traceback.format_exception(error)) + str(error.__dict__)
        error = error.__cause__ or error.__context__
    assert TOKEN not in said
    assert "s3cret" not in said
    return str(caught.value)


def test_the_address_is_found(portal):
    assert ask(portal) == f"{portal.url}/s3/p.zip?X-Amz-Signature=s3cret"
    listing, one = portal.requests
    assert listing.query == URL.split("?")[1]
    assert (one.path, one.query) == (ONE, "")
    assert "API-KEY" not in listing.headers
    assert one.headers["API-KEY"] == TOKEN


def test_a_project_is_downloaded_and_nothing_secret_kept(portal, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    target = tmp_path / "raw" / "SCPCP000017.zip"

    def get():
        return fetch(
            URL, target, cache=tmp_path / "cache", limits=QUICK, resolve=lambda: ask(portal)
        )

    record = get()
    assert record["url"] == URL
    assert target.read_bytes()[:2] == b"PK"
    kept = caplog.text + str(record)
    for path in tmp_path.rglob("*"):
        kept += str(path) + (path.read_text(errors="replace") if path.is_file() else "")
    assert TOKEN not in kept
    assert "s3cret" not in kept
    assert "API-KEY" not in portal.of("/s3/p.zip")[0].headers
    before = len(portal.requests)
    assert get() == record
    assert len(portal.requests) == before


@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_token(portal, monkeypatch, value):
    monkeypatch.delenv("SCPCA_TOKEN")
    if value is not None:
        monkeypatch.setenv("SCPCA_TOKEN", value)
    with pytest.raises(RetrieveError) as caught:
        ask(portal)
    for words in (
        "Downloads from scPCA need a token, but SCPCA_TOKEN is not set",
        "curl -X POST https://api.scpca.alexslemonade.org/v1/tokens/",
        """-d '{"email": "you@example.org", "is_activated": true}'""",
        '"is_activated": true accepts the Terms of Use of the portal',
        "export SCPCA_TOKEN=<id>",
    ):
        assert words in str(caught.value)
    assert not portal.requests


@pytest.mark.parametrize("value", ["a b", "a\nb", "ä"])
def test_a_token_with_odd_characters(monkeypatch, value):
    monkeypatch.setenv("SCPCA_TOKEN", value)
    with pytest.raises(RetrieveError, match="holds characters that a token cannot have") as caught:
        scpca.token()
    assert value not in str(caught.value)


@pytest.mark.parametrize("code", [401, 403])
def test_a_token_that_is_not_accepted(portal, loopback, caplog, code):
    portal.script(ONE, loopback.status(code, body=TOKEN.encode()))
    said = refusal(portal, caplog)
    assert f"the portal answered {code}" in said
    assert "the token in SCPCA_TOKEN is not accepted" in said
    assert "curl -X POST" in said
    assert ask(portal)


def test_the_token_is_not_sent_after_a_redirect(portal, loopback, caplog):
    portal.script(ONE, loopback.redirect("/elsewhere?s3cret"))
    assert "redirects (302 Found) to an address the token is not sent to" in refusal(portal, caplog)
    assert not portal.of("/elsewhere")
    assert ask(portal)


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([], "found 0; the listing has: nothing. Check the project id"),
        (
            [MERGED, BARE],
            "found 0; the listing has: SINGLE_CELL_ANN_DATA (without a file), "
            "SINGLE_CELL_ANN_DATA_MERGED. Check",
        ),
        ([GOOD, GOOD], "found 2; the listing has: SINGLE_CELL_ANN_DATA, SINGLE_CELL_ANN_DATA."),
        ([{**GOOD, "id": None}], "with a file and an id, found 1"),
    ],
)
def test_no_or_several_data_sets(portal, caplog, results, words):
    portal.put(LIST, body({"results": results}))
    assert words in refusal(portal, caplog)


@pytest.mark.parametrize("listing", [[], {}, {"results": {}}, {"results": ["a"]}, "text", None])
def test_a_listing_of_another_shape(portal, caplog, listing):
    portal.put(LIST, body(listing))
    words = "expected a JSON object with a list `results`, found another shape; the API may have"
    assert words in refusal(portal, caplog)


@pytest.mark.parametrize("path", [LIST, ONE])
def test_no_json(portal, caplog, path):
    portal.put(path, b"<html>s3cret")
    assert "expected JSON, found something else" in refusal(portal, caplog)


@pytest.mark.parametrize("answer", [GOOD, [], GOOD | {"download_url": None}, {"download_url": "x"}])
def test_no_download_url(portal, caplog, answer):
    portal.put(ONE, body(answer))
    assert "the portal gave no download_url although a token was sent" in refusal(portal, caplog)


@pytest.mark.parametrize("path", [LIST, ONE])
def test_faults_that_pass(portal, loopback, path):
    portal.script(path, loopback.status(502), loopback.HANG_UP, loopback.cut(5))
    limits = Limits(attempts=4, timeout=5, backoff=0.001)
    assert scpca_download_url(URL, mirrors=portal.mirrors(API), limits=limits)


@pytest.mark.parametrize("path", [LIST, ONE])
def test_faults_that_stay(portal, loopback, caplog, path):
    portal.script(path, then=loopback.status(500))
    assert "500 Internal Server Error, 2 time(s) in a row" in refusal(portal, caplog)
    portal.script(path, then=loopback.status(404))
    assert "the portal answered 404 Not Found; check the url" in refusal(portal, caplog)
