"""A Slurm cluster of one node on this machine, for as long as a test or a command runs.

    python tests/cluster.py snakemake --workflow-profile workflow/profiles/slurm

It is started by whoever runs it and for nobody else, listens on 127.0.0.1 only, keeps its settings,
keys and state in a temporary folder, and has its own ports and socket, so that another one, or
services of the machine, may run beside it. It has no accounting storage, as is slurm.conf's
default. Memory is watched by Slurm itself (OverMemoryKill), which needs neither root nor cgroups.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CPUS = 2
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "setpriv")
SETTINGS = """\
ClusterName=osteotalk
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=2
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """Programs of Slurm and munge that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


class Cluster:
    """The node, and the environment in which its commands find it; used by ``with``."""

    def __init__(self) -> None:
        # short, as the path of a socket may have no more than 107 characters
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        self.environment = os.environ | {
            "PATH": f"{self.folder}{os.pathsep}{_path()}",
            "SLURM_CONF": str(self.folder / "slurm.conf"),
        }
        self.daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        try:
            self._configure()
            folder = self.folder
            self._start(
                "munged", "--foreground", "--force", "--num-threads=2",
                f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
                f"--pid-file={folder}/munge.pid", f"--seed-file={folder}/munge.seed",
                f"--log-file={folder}/munge.log",
            )  # fmt: skip
            self._until("munged", (folder / "munge.socket").exists)
            self._start("slurmctld", "-D", "-i", "-f", str(folder / "slurm.conf"))
            self._start("slurmd", "-D", "-f", str(folder / "slurm.conf"))
            self._until("node", lambda: self.ask("sinfo", "-h", "-o", "%t").strip() == "idle")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        try:
            self.ask("scancel", "--user", _user())
            self._until("queue", lambda: not self.ask("squeue", "-h").strip())
        finally:
            self.stop()

    def ask(self, *words: str) -> str:
        """Output of a command of Slurm; nothing if it fails."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout if done.returncode == 0 else ""

    def stop(self) -> None:
        """End what was started here, the last first, and remove the folder."""
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder)

    def _configure(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        text = SETTINGS.format(
            host=socket.gethostname().split(".")[0],
            ports=_free_ports(2),
            user=_user(),
            folder=self.folder,
            cpus=min(CPUS, os.cpu_count() or 1),
            memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        )
        (self.folder / "slurm.conf").write_text(text)
        # Snakemake's job steps forget SLURM_CONF, as a cluster's own settings lie in /etc.
        srun = self.folder / "srun"
        conf = self.environment["SLURM_CONF"]
        real = shutil.which("srun", path=_path())
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {real} "$@"\n')
        srun.chmod(0o700)

    def _start(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.out").open("w") as out:
            daemon = subprocess.Popen(
                ["setpriv", "--pdeathsig=TERM", *words],  # ends with this process, if it is killed
                env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,  # Ctrl-C is for the command; jobs are cancelled before this
            )  # fmt: skip
        self.daemons.append(daemon)

    def _until(self, name: str, done) -> None:
        """Wait up to 30 seconds; else show the end of what the daemons say."""
        for _ in range(300):
            if done():
                return
            if any(daemon.poll() is not None for daemon in self.daemons):
                break
            time.sleep(0.1)
        said = "\n".join(
            f"{path.name}: {path.read_text()[-2000:]}" for path in self.folder.glob("*.out")
        )
        msg = f"the {name} of the Slurm cluster did not come to rest:\n{said}"
        raise RuntimeError(msg)


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def main(words: list[str]) -> int:
    """Run a command with a cluster around it."""
    if not words or missing():
        sys.exit(f"usage: {__doc__}\nnot installed: {', '.join(missing()) or 'nothing'}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is ended
    with Cluster() as cluster:
        return subprocess.run(words, env=cluster.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
