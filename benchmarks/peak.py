"""Wall time of a command, and the peak memory of all its processes together.

Needs psutil, which in a fresh environment is not there yet:

pip install psutil
python benchmarks/peak.py "pip install -c envs/constraints.txt -e . && snakemake --cores 2"
"""

import subprocess
import sys
import time

import psutil


def resident(process: psutil.Process) -> int:
    """Bytes in memory of a process and all below it, now."""
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


def main() -> None:
    """Run the command and print what it took."""
    start, peak = time.perf_counter(), 0
    running = subprocess.Popen(["bash", "-c", sys.argv[1]])
    process = psutil.Process(running.pid)
    while running.poll() is None:
        try:
            peak = max(peak, resident(process))
        except psutil.Error:
            break
        time.sleep(0.5)
    code = running.wait()
    seconds = time.perf_counter() - start
    print(f"exit {code}, {seconds:.0f} s, peak {peak / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
