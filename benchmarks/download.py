"""A large file over loopback: osteotalk's fetch, pooch and curl, in the same run.

Run from the repository: python benchmarks/download.py [--size GB] [--repeats N]

The file is made while it is sent, by a process of its own, so the disk of the server does not
count. Every download runs in a fresh process. fetch computes SHA-256 while it receives; pooch
reads the file once more to compute it; curl does not compute it, so it is timed both alone and
followed by sha256sum. Memory is the peak of the resident set of the downloading process.
"""

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path

BLOCK = 1024**2  # bytes
NAME = "/large.bin"
MB = 1e6

COMMON = """
import sys, time

def memory():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024

url, folder, sha256, size = sys.argv[1:5]
"""
FETCH = """
from osteotalk.retrieve import Limits, fetch
before, start = memory(), time.perf_counter()
fetch(url, f"{folder}/out/large.bin", cache=f"{folder}/cache", n_bytes=int(size), sha256=sha256,
      limits=Limits(attempts=1, timeout=60, backoff=1))
print(time.perf_counter() - start, memory(), before)
"""
POOCH = """
import logging, pooch
pooch.get_logger().setLevel(logging.ERROR)
before, start = memory(), time.perf_counter()
pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname="large.bin", path=folder)
print(time.perf_counter() - start, memory(), before)
"""
CURL = """
import resource, subprocess
start = time.perf_counter()
subprocess.run(["curl", "-sSf", "-o", f"{folder}/large.bin", url], check=True)
if HASH:
    found = subprocess.run(["sha256sum", f"{folder}/large.bin"], check=True, capture_output=True)
    assert found.stdout.decode().split()[0] == sha256
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, 0)
"""


def blocks(size: int):
    """Yield `size` bytes, the same in each run: random blocks, each with its number in front."""
    base = memoryview(random.Random(0).randbytes(BLOCK))
    for number in range(0, size, BLOCK):
        head = number.to_bytes(8, "big")
        n = min(BLOCK, size - number)
        yield head[:n]
        yield base[8:n]


def serve(size: int, port) -> None:
    """Serve the file on loopback until the process is ended."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """Say nothing."""

        def do_HEAD(self):
            """Say how long the file is."""
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.send_header("ETag", f'"{size}"')
            self.end_headers()

        def do_GET(self):
            """Send the file."""
            self.do_HEAD()
            for block in blocks(size):
                self.connection.sendall(block)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port.put(server.server_address[1])
        server.serve_forever()


def measure(code: str, url: str, digest: str, size: int, parent: Path) -> tuple[float, ...]:
    """Seconds, peak memory and memory before the download, in bytes, of one download."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        command = [sys.executable, "-c", COMMON + code, url, str(folder), digest, str(size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return tuple(float(word) for word in done.stdout.split())
    finally:
        shutil.rmtree(folder)


def ways() -> dict[str, str]:
    """What can be measured here."""
    found = {"osteotalk (hashed)": FETCH}
    try:
        import pooch  # noqa: F401
    except ImportError:
        print("pooch is not installed: left out")
    else:
        found["pooch (hashed)"] = POOCH
    if shutil.which("curl"):
        found["curl + sha256sum"] = f"HASH = True\n{CURL}"
        found["curl, not hashed"] = f"HASH = False\n{CURL}"
    else:
        print("curl is not installed: left out")
    return found


def table(results: dict[str, list[tuple[float, ...]]], size: int) -> None:
    """Print the fastest of the repeats of each way, beside the first way."""
    best = {name: min(runs) for name, runs in results.items()}
    ours = next(iter(best.values()))[0]
    print(f"{'':<20}{'seconds':>9}{'MB/s':>8}{'peak MB':>9}{'on top':>8}{'time / ours':>13}")
    for name, (seconds, _, _) in best.items():
        peak = max(run[1] for run in results[name])
        top = max(run[1] - run[2] for run in results[name])
        on_top = f"{top / MB:.0f}" if name.split()[0] != "curl" else ""
        print(
            f"{name:<20}{seconds:>9.2f}{size / MB / seconds:>8.0f}{peak / MB:>9.0f}"
            f"{on_top:>8}{seconds / ours:>13.2f}"
        )
    print("on top: peak above what the imported libraries take; times: the fastest run")


def main() -> None:
    """Serve, download in every way, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=float, default=2.0, help="GB (10^9 bytes), default 2")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each way, default 1")
    given = parser.parse_args()
    size = int(given.size * 1e9)
    folder = Path(tempfile.mkdtemp(prefix="osteotalk-download-"))
    context = get_context("spawn")
    port = context.Queue()
    server = context.Process(target=serve, args=(size, port), daemon=True)
    try:
        free = shutil.disk_usage(folder).free
        if free < 1.2 * size + 1e9:
            sys.exit(f"{free / 1e9:.1f} GB are free in {folder}, {1.2 * size / 1e9 + 1:.1f} needed")
        server.start()
        url = f"http://127.0.0.1:{port.get(timeout=60)}{NAME}"
        digest = hashlib.sha256()
        start = time.perf_counter()
        for block in blocks(size):
            digest.update(block)
        alone = time.perf_counter() - start
        print(f"{size / 1e9:g} GB over loopback, {os.cpu_count()} core(s) for server and client")
        print(f"SHA-256 alone: {alone:.2f} s, {size / MB / alone:.0f} MB/s")
        results: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways()}
        for _ in range(given.repeats):
            for name, code in ways().items():
                results[name].append(measure(code, url, digest.hexdigest(), size, folder))
        table(results, size)
    finally:
        if server.pid:
            server.terminate()
            server.join()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
