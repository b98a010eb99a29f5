"""Requests over HTTP(S): one attempt, its faults in words, and when to try again.

Addresses may be secret (pre-signed) and so may headers (a token). Texts of requests and urllib3
hold them, so none of these texts is passed on: faults are described anew, exceptions are raised
outside of the handlers, and urllib3's own log is silenced while a request runs.
"""

import http.client
import ipaddress
import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests import exceptions as rq
from urllib3.util import Retry

from osteotalk import __version__
from osteotalk.retrieve.errors import RetrieveError, failure

log = logging.getLogger(__name__)

USER_AGENT = f"osteotalk/{__version__} ({requests.utils.default_user_agent()})"
MAX_BACKOFF = 60.0  # seconds
MAX_RETRY_AFTER = 300.0  # seconds
T = TypeVar("T")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052

_NO_SENSE = (
    rq.InvalidURL,
    rq.InvalidSchema,
    rq.MissingSchema,
    rq.InvalidHeader,
    rq.InvalidProxyURL,
    rq.TooManyRedirects,
    urllib3.exceptions.LocationParseError,
    UnicodeError,
)
_PASSING = (
    rq.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
_quiet: ContextVar[bool] = ContextVar("osteotalk_quiet", default=False)


@dataclass(frozen=True)
class Limits:
    """How long to try.

    Attributes
    ----------
    attempts
        Tries of one file without any new byte before giving up; each new byte resets the count.
    timeout
        Seconds without a byte, and seconds to connect.
    backoff
        Seconds before the second try; doubles, with jitter, up to 60 s. A server's Retry-After is
        obeyed up to 300 s.
    """

    attempts: int
    timeout: float
    backoff: float


class Trouble(Exception):
    """A fault that may pass: the request is worth repeating."""

    def __init__(self, reason: str, *, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class _Silence(logging.Filter):
    """Drop what urllib3 logs (addresses with their query) while one of our requests runs."""

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return not _quiet.get()


_SILENCE = _Silence()


@contextmanager
def silence() -> Iterator[None]:
    """Keep addresses out of urllib3's log while the block runs (this thread only)."""
    for name in ("connectionpool", "connection", "poolmanager", "response", "util.retry"):
        logging.getLogger(f"urllib3.{name}").addFilter(_SILENCE)
    mark = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(mark)


class Session(requests.Session):
    """A session that names us, takes bytes as they are and keeps `private` headers to one host.

    Redirects are followed, thirty at most, as far as `check_redirect` lets them: to machines of
    the network here only if `named` has the host.
    """

    def __init__(
        self, private: Mapping[str, str] | None = None, named: Collection[str] = ()
    ) -> None:
        super().__init__()
        self.named = frozenset(named)
        self.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        self.private = dict(private or {})

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Called by requests for each redirect: another host gets no private header."""
        before, after = response.request.url or "", prepared_request.url or ""
        check_redirect(before, after, named=self.named)
        if self.should_strip_auth(before, after):
            for name in self.private:
                prepared_request.headers.pop(name, None)
        super().rebuild_auth(prepared_request, response)


def check_url(url: str, *, where: str = "") -> None:
    """Refuse an address that is not plain http(s), or that holds a password."""
    try:
        parts = urlsplit(url)
        known, secret = parts.scheme in ("http", "https") and bool(parts.hostname), parts.username
        _ = parts.port
    except ValueError:
        known, secret = False, None
    if secret is not None:
        shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
        msg = "the url holds a user name or password, which would be written to records; remove it"
        raise failure(shown, msg, where=where)
    if not known:
        raise failure(url, "is not an address that begins with https:// or http://", where=where)


def hosts(*addresses: str) -> set[str]:
    """Names of the hosts of some addresses."""
    return {host for address in addresses if (host := urlsplit(address).hostname)}


def check_redirect(before: str, after: str, *, named: Collection[str]) -> None:
    """Refuse an address that a server leads to, if it is less safe than the one that was asked.

    Parameters
    ----------
    before, after
        The address that was asked, and the one that it leads to.
    named
        Hosts that the config or the tables name, which may be anywhere.

    Raises
    ------
    RetrieveError
        If https falls to http, or if `after` lies on this machine or in a private network. Only the
        host is told, as the rest may be secret.
    """
    scheme, host = urlsplit(after).scheme, urlsplit(after).hostname or ""
    if urlsplit(before).scheme == "https" and scheme != "https":
        msg = (
            f"the server redirects from https to {scheme} ({host}), where anyone on the way could "
            "change the file; look in a browser for an https address of the file and give that"
        )
        raise RetrieveError(msg)
    inside = [] if host in named else [found for found in _addresses(host) if not _public(found)]
    if inside:
        msg = (
            f"the server redirects to {host} ({inside[0]}), which is not on the internet but in "
            "the network here; if that is meant, give the address there as url, or name it in "
            "retrieve.mirrors of the config"
        )
        raise RetrieveError(msg)


def _addresses(host: str) -> list[str]:
    """IP addresses of a host; in any notation (127.1, 0x7f000001), as the connection reads it.

    None where the name is not known here: then a proxy finds it, or the connection fails.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(place[4][0]) for place in found))


def _public(address: str) -> bool:
    """Whether an IP address, and an IPv4 address within one of IPv6, is of the internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _public(str(inner))
    return ip.is_global and not ip.is_multicast


def mirrored(url: str, mirrors: Mapping[str, str] | None) -> str:
    """Replace the longest prefix of `url` that `mirrors` has."""
    for prefix in sorted(mirrors or {}, key=len, reverse=True):
        if url.startswith(prefix):
            return (mirrors or {})[prefix] + url[len(prefix) :]
    return url


def reason(error: BaseException, *, timeout: float) -> str:
    """Say what went wrong with a connection, without any address."""
    chain, seen = [error], {id(error)}
    for link in chain:
        parts = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args)
        for part in parts:
            if isinstance(part, BaseException) and id(part) not in seen:
                seen.add(id(part))
                chain.append(part)
    for e in chain:
        if isinstance(e, ssl.SSLCertVerificationError):
            return f"the certificate of the host cannot be verified ({e.verify_message})"
        if isinstance(e, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return "the name of the host is not known here (is this machine on the internet?)"
        late = isinstance(e, TimeoutError | rq.Timeout | urllib3.exceptions.TimeoutError)
        if late and not isinstance(e, urllib3.exceptions.NewConnectionError):
            return f"no byte came for {timeout:g} s"
    for e in chain:
        if isinstance(e, urllib3.exceptions.IncompleteRead | http.client.IncompleteRead):
            return "the connection was cut before the end of the file"
        if isinstance(e, OSError) and e.strerror and not isinstance(e, rq.RequestException):
            return f"the connection failed ({e.strerror})"
    return f"the connection failed ({type(chain[-1]).__name__})"


def request(
    session: requests.Session,
    address: str,
    *,
    headers: Mapping[str, str],
    limits: Limits,
    redirects: bool = True,
) -> requests.Response:
    """Send one GET; the body is left to be read.

    Raises
    ------
    Trouble
        If the connection failed, or the status says to come back (408, 429, 5xx).
    RetrieveError
        If the request can never succeed; without the address, for the caller to add the public one.
    """
    fault: Exception
    try:
        response = session.get(
            address,
            headers=dict(headers),
            stream=True,
            timeout=(limits.timeout, limits.timeout),
            allow_redirects=redirects,
        )
    except _NO_SENSE as error:
        fault = RetrieveError(
            f"the address, or one the server redirects to, cannot be used ({type(error).__name__})"
        )
    except _PASSING as error:
        fault = Trouble(reason(error, timeout=limits.timeout))
    else:
        status = response.status_code
        if status in (408, 429) or status >= 500:
            wait = retry_after(response.headers.get("Retry-After", ""))
            response.close()
            msg = f"the server answered {status_text(status)}"
            raise Trouble(msg, wait=wait)
        return response
    raise fault


def pieces(response: requests.Response, size: int, *, timeout: float) -> Iterator[bytes]:
    """Yield the body as it was sent, as it comes, in pieces of at most `size` bytes.

    Raises
    ------
    Trouble
        If it ends early; all that came has been yielded before.
    """
    fault: Trouble | None = None
    while fault is None:
        try:
            piece = response.raw.read1(size, decode_content=False)
        except _PASSING as error:
            fault = Trouble(reason(error, timeout=timeout))
        else:
            if not piece:
                return
            yield piece
    raise fault


def status_text(status: int) -> str:
    """Give "404 Not Found"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after(value: str) -> float:
    """Seconds of a Retry-After header (a number or a date, RFC 9110), at most 300; 0 if none."""
    try:
        return min(float(Retry().parse_retry_after(value)), MAX_RETRY_AFTER)
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return 0.0


def with_retries(
    action: Callable[[], T],
    *,
    url: str,
    limits: Limits,
    where: str = "",
    reached: Callable[[], int] = lambda: 0,
) -> T:
    """Call `action` until it raises no `Trouble`, or `limits` are reached.

    Parameters
    ----------
    reached
        Bytes that are there; the count of tries begins anew only if this exceeds all before, so
        that a file that must be started anew each time does not go on for ever.

    Raises
    ------
    RetrieveError
        After `limits.attempts` tries in a row without a new byte.
    """
    tries, best = 0, reached()
    while True:
        with silence():
            try:
                return action()
            except Trouble as error:
                found, asked = error.reason, error.wait
        have = reached()
        tries, best = (0, have) if have > best else (tries + 1, best)
        if tries >= limits.attempts:
            break
        step = min(limits.backoff * 2.0 ** min(max(tries - 1, 0), 30), MAX_BACKOFF)
        wait = max(step * random.uniform(0.5, 1.0), asked)
        log.warning("%s: %s; trying again in %.1f s (%s bytes kept)", url, found, wait, f"{have:,}")
        time.sleep(wait)
    kept = f"; {have:,} bytes are kept and the next run goes on from there" if have else ""
    msg = f"{found}, {tries} time(s) in a row without a new byte{kept}. Run again later"
    raise failure(url, msg, where=where)
