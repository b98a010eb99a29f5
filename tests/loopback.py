"""An HTTP server on 127.0.0.1 that serves files as an archive does, and misbehaves on demand.

    with serve({"/ftp.example.org/a.tar": b"..."}) as server:
        server.script("/ftp.example.org/a.tar", status(503), cut(1000))
        mirrors = server.mirrors("https://ftp.example.org/")
        ...
        server.requests[0].headers["Range"]

A path with a host in front stands for that host, so `mirrors` leads real addresses here.
"""

import contextlib
import email.utils
import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

CHUNK = 64 * 1024
MODIFIED = 1_700_000_000  # seconds since 1970, of every file that is not on disk


@dataclass(frozen=True)
class Fault:
    """What to do with one request, other than to serve the file."""

    code: int | None = None  # this status, with `body` and `headers`
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of the body, then the connection is closed
    ranges: bool = True  # False: the whole file whatever is asked
    shift: int = 0  # added to the start in Content-Range, and to what is sent
    more: int = 0  # added to Content-Length (and to the total of Content-Range)
    seconds: float = 0.0  # to wait before the answer
    stall_after: int | None = None  # bytes of the body, then nothing for `seconds`
    chunked: bool = False  # no Content-Length
    hang_up: bool = False  # close without an answer


def status(code: int, *, retry_after: str = "", body: bytes = b"") -> Fault:
    return Fault(code=code, body=body, headers={"Retry-After": retry_after} if retry_after else {})


def cut(after: int) -> Fault:
    return Fault(cut_after=after)


def page(title: str = "Down for maintenance") -> Fault:
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>Sorry</body></html>"
    return Fault(code=200, body=text.encode(), headers={"Content-Type": "text/html"})


def redirect(location: str, *, code: int = 302) -> Fault:
    return Fault(code=code, headers={"Location": location})


def slow(seconds: float) -> Fault:
    return Fault(seconds=seconds)


def stall(after: int, *, seconds: float = 60.0) -> Fault:
    return Fault(stall_after=after, cut_after=after, seconds=seconds)


IGNORE_RANGES = Fault(ranges=False)
HANG_UP = Fault(hang_up=True)
CHUNKED = Fault(chunked=True)
GOOD = Fault()


@dataclass
class Seen:
    """One request, and what was answered."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    code: int = 0
    sent: int = 0  # bytes of the body


class Server:
    """The files, the faults to come and the requests seen; use it through `serve`."""

    def __init__(self, content: Path | Mapping[str, bytes | Path]) -> None:
        self.folder = Path(content).resolve() if isinstance(content, str | Path) else None
        self.files: dict[str, bytes | Path] = {} if self.folder else dict(content)
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.always: dict[str, Fault] = {}
        self.validators: dict[str, str] = {}  # by path: strong (default), weak, date or none
        self.requests: list[Seen] = []
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.url = ""

    def script(self, path: str, *faults: Fault, then: Fault | None = None) -> None:
        """The next requests of `path` meet these faults, one each; all later ones meet `then`."""
        self.faults[path].extend(faults)
        if then is not None:
            self.always[path] = then

    def put(self, path: str, body: bytes | Path) -> None:
        """Add or change a file."""
        with self.lock:
            self.files[path] = body

    def mirrors(self, *prefixes: str) -> dict[str, str]:
        """Prefixes such as "https://ftp.ncbi.nlm.nih.gov/" and where they are served here."""
        return {prefix: f"{self.url}/{prefix.split('://', 1)[1]}" for prefix in prefixes}

    def of(self, path: str) -> list[Seen]:
        """The requests of one path."""
        return [seen for seen in self.requests if seen.path == path]

    def next_fault(self, path: str) -> Fault:
        with self.lock:
            queue = self.faults[path]
            return queue.popleft() if queue else self.always.get(path, GOOD)

    def find(self, path: str) -> bytes | Path | None:
        with self.lock:
            if path in self.files or self.folder is None:
                return self.files.get(path)
        found = (self.folder / path.lstrip("/")).resolve()
        return found if found.is_relative_to(self.folder) and found.is_file() else None


def _validators(content: bytes | Path, kind: str) -> dict[str, str]:
    if isinstance(content, Path):
        changed = int(content.stat().st_mtime)
        tag = f"{content.stat().st_size:x}-{content.stat().st_mtime_ns:x}"
    else:
        changed, tag = MODIFIED, hashlib.md5(content, usedforsecurity=False).hexdigest()
    date = {"Last-Modified": email.utils.formatdate(changed, usegmt=True)}
    kinds = {
        "strong": {"ETag": f'"{tag}"'} | date,
        "weak": {"ETag": f'W/"{tag}"'} | date,
        "date": date,
        "none": {},
    }
    return kinds[kind]


def _range(value: str, if_range: str, known: Mapping[str, str], size: int) -> tuple[int, int]:
    """First byte and the one after the last; (-1, -1) if the range cannot be satisfied."""
    strong = {v for v in known.values() if not v.startswith("W/")}
    if not value.startswith("bytes=") or (if_range and if_range not in strong):
        return 0, size
    first, last = value.removeprefix("bytes=").split("-", 1)
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    return (start, end) if start < end else (-1, -1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: Server

    def log_message(self, format, *args):  # noqa: A002
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        seen = Seen(self.command, path, parts.query, dict(self.headers.items()))
        with self.files.lock:
            self.files.requests.append(seen)
        fault = self.files.next_fault(path)
        if fault.seconds and fault.stall_after is None:
            self.files.stop.wait(fault.seconds)
        if fault.hang_up:
            self.close_connection = True
            return
        try:
            self.reply(seen, fault, self.files.find(path))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, seen: Seen, fault: Fault, content: bytes | Path | None):
        if fault.code is not None or content is None:
            code = 404 if fault.code is None else fault.code
            self.send(seen, fault, code, dict(fault.headers), fault.body, 0, len(fault.body))
            return
        kind = self.files.validators.get(seen.path, "strong")
        known = _validators(content, kind)
        headers = known | {"Accept-Ranges": "bytes"} | dict(fault.headers)
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        asked = self.headers.get("Range", "") if fault.ranges else ""
        start, end = _range(asked, self.headers.get("If-Range", ""), known, size)
        if start < 0:
            self.send(seen, fault, 416, {"Content-Range": f"bytes */{size}"}, b"", 0, 0)
            return
        if (start, end) != (0, size):
            start = max(start + fault.shift, 0)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size + fault.more}"
        self.send(
            seen, fault, 206 if "Content-Range" in headers else 200, headers, content, start, end
        )

    def send(self, seen, fault, code, headers, content, start, end):
        seen.code = code
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if fault.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(end - start + fault.more))
        self.end_headers()
        if self.command == "HEAD":
            return
        left = end - start if fault.cut_after is None else min(fault.cut_after, end - start)
        for piece in _pieces(content, start, left):
            if self.files.stop.is_set():
                break
            frame = f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if fault.chunked else piece
            self.wfile.write(frame)
            seen.sent += len(piece)
        if fault.stall_after is not None:
            self.files.stop.wait(fault.seconds)
        if fault.cut_after is not None or fault.more:
            self.close_connection = True
        elif fault.chunked:
            self.wfile.write(b"0\r\n\r\n")


def _pieces(content: bytes | Path, start: int, left: int) -> Iterator[bytes]:
    if isinstance(content, bytes):
        view = memoryview(content)[start : start + left]
        for i in range(0, left, CHUNK):
            yield bytes(view[i : i + CHUNK])
        return
    with content.open("rb") as stream:
        stream.seek(start)
        while left and (piece := stream.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that went away is no error here."""


@contextlib.contextmanager
def serve(content: Path | Mapping[str, bytes | Path]) -> Iterator[Server]:
    """Serve a folder, or contents by path, until the block ends."""
    server = Server(content)
    handler = type("BoundHandler", (Handler,), {"files": server})
    with _Threads(("127.0.0.1", 0), handler) as web:
        server.url = f"http://127.0.0.1:{web.server_address[1]}"
        thread = threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            web.shutdown()
            thread.join()
