"""Where a server may lead to, and how much it may send without saying so."""

import socket

import pytest

from osteotalk.retrieve import RetrieveError, http, transfer
from osteotalk.retrieve.http import check_redirect

HERE = "is not on the internet but in the network here; if that is meant, give the address"


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_a_server_does_not_lead_to_this_machine(archive, server, loopback, host):
    server.put("/elsewhere/a.tar", archive.content)
    port = server.url.rsplit(":", 1)[1]
    server.script(archive.path, loopback.redirect(f"http://{host}:{port}/elsewhere/a.tar?s3cret"))
    with pytest.raises(RetrieveError, match=HERE) as caught:
        archive.fetch()
    assert "s3cret" not in str(caught.value)
    assert archive.url in str(caught.value)
    assert "config/files.tsv line 12" in str(caught.value)
    assert not server.of("/elsewhere/a.tar")
    assert archive.nothing_kept()


def test_the_second_of_two_redirects_is_looked_at_too(archive, server, loopback):
    server.script(archive.path, loopback.redirect("/next"))
    server.script("/next", loopback.redirect("http://127.0.0.3/x"))
    with pytest.raises(RetrieveError, match=r"redirects to 127\.0\.0\.3 \(127\.0\.0\.3\)"):
        archive.fetch()


def test_a_host_that_the_config_names_may_be_led_to(archive, server, loopback):
    server.put("/elsewhere/a.tar", archive.content)
    port = server.url.rsplit(":", 1)[1]
    there = f"http://localhost:{port}/"
    server.script(archive.path, loopback.redirect(f"{there}elsewhere/a.tar"))
    archive.fetch(mirrors={**server.mirrors("https://ftp.example.org/"), there: there})
    assert archive.complete()


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "0177.0.0.1",
        "0xa9fea9fe",
        "127.1",
    ],
)
def test_addresses_of_no_public_machine(address):
    with pytest.raises(RetrieveError, match=HERE):
        check_redirect("http://a.org/x", f"http://{address}:80/x", named={"a.org"})
    check_redirect("http://a.org/x", f"http://{address}/x", named={address.strip("[]")})


@pytest.mark.parametrize("address", ["8.8.8.8", "[2606:4700::1111]", "[::ffff:8.8.8.8]"])
def test_public_addresses_pass(address):
    check_redirect("http://a.org/x", f"https://{address}/x", named=set())


def test_a_name_is_judged_by_all_its_addresses(monkeypatch):
    known = {"cdn.org": ["8.8.8.8"], "trap.org": ["8.8.8.8", "192.168.0.7"]}

    def resolve(host, port, **_):
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in known[host]]

    monkeypatch.setattr(http.socket, "getaddrinfo", resolve)
    check_redirect("https://a.org/x", "https://cdn.org/x", named=set())
    check_redirect("https://a.org/x", "https://unknown.org/x", named=set())  # a proxy may know it
    with pytest.raises(RetrieveError, match=r"trap\.org \(192\.168\.0\.7\), which is not on"):
        check_redirect("https://a.org/x", "https://trap.org/x", named=set())


def test_https_never_falls_to_http():
    words = r"redirects from https to http \(a\.org\), where anyone on the way could change"
    with pytest.raises(RetrieveError, match=words) as caught:
        check_redirect("https://a.org/x", "http://a.org/x?s3cret", named={"a.org"})
    assert "s3cret" not in str(caught.value)
    check_redirect("http://a.org/x", "https://a.org/x", named={"a.org"})


@pytest.mark.parametrize(
    ("stated_in", "way"),
    [("the table of files", "column bytes of the table"), ("the config", "by other means")],
)
def test_a_body_without_a_length_has_a_limit(archive, loopback, monkeypatch, stated_in, way):
    monkeypatch.setattr(transfer, "MOST", 200_000)
    archive.server.script(archive.path, then=loopback.CHUNKED)
    words = f"does not say how long the file is, and more than 200,000 bytes came; .*{way}"
    with pytest.raises(RetrieveError, match=words):
        archive.fetch(stated_in=stated_in)
    assert archive.nothing_kept()
    archive.fetch(n_bytes=len(archive.content), stated_in=stated_in)  # a stated size may be more
    assert archive.complete()
