# SPDX-License-Identifier: GPL-2.0-or-later
"""A store that is far away: Ceph's S3 service with everything in memory
(tests/s3/ceph.sh), behind a proxy (tests/s3/proxy.c) that holds back the first
byte of every answer and lets through so much a second, and that counts.  borg,
which speaks to a server of its own, has delay_pipe.py instead.

What is in the store gets there past the proxy: rclone copies what the phase
`writer` left."""
import os
import shlex
import signal
import subprocess
import time

from common import COLD, HERE, HOMES, LIMIT, ROOT, complain, put, start
from tool import Mount, Tool

DELAY = int(os.environ.get("FAR_DELAY", 30))  # ms
RATE = int(os.environ.get("FAR_RATE", 1000))  # Mbit/s
S3 = os.path.realpath(f"{HERE}/../s3")
PROXY = os.environ.get("FAR_PROXY") or (
    f"{os.environ.get('YORE_BIN', '.')}/tests/s3/proxy")
PIPED = ("borg",)  # not by S3


class Line:
    """Server and proxy, from enter to exit; empty at first."""

    def __init__(self, delay=DELAY):
        self.delay = delay
        self.dir = f"{ROOT}/far"
        self.log, self.pipe = f"{self.dir}/proxy.log", f"{self.dir}/pipe.count"
        self.processes = []

    def launch(self, argv, ready):
        with open(f"{self.dir}/stdout", "w") as out:
            process = start(["setpriv", "--pdeathsig", "TERM", *argv], out)
        self.processes.append(process)
        end = time.monotonic() + 60
        while not (found := ready()):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{argv[0]}: not started")
            time.sleep(0.02)
        return found

    def said(self, name):
        def look():
            try:
                with open(f"{self.dir}/{name}") as f:
                    text = f.read()
            except OSError:
                return None
            return dict(x.split("=", 1) for x in shlex.split(text))
        return look

    def __enter__(self):
        subprocess.run(["rm", "-rf", self.dir], check=True)
        os.makedirs(f"{self.dir}/ceph")
        try:
            os.environ.pop("AWS_CA_BUNDLE", None)  # there is no TLS
            facts = self.launch(["bash", f"{S3}/ceph.sh", f"{self.dir}/ceph"],
                                self.said("ceph/env"))
            self.near = facts["s3_endpoint"]
            key, secret = facts["s3_rw"].split()
            os.environ.update(AWS_ACCESS_KEY_ID=key,
                              AWS_SECRET_ACCESS_KEY=secret,
                              AWS_REGION=facts["s3_region"],
                              AWS_DEFAULT_REGION=facts["s3_region"])
            port = self.near.rsplit(":", 1)[1]
            ports = self.launch([PROXY, port, self.log, f"delay={self.delay}",
                                 f"rate={RATE}"], self.said("stdout"))
            self.far = f"http://127.0.0.1:{ports['port']}"
        except BaseException:
            self.__exit__()
            raise
        os.environ.update(
            FAR_NEAR=self.near, FAR_URL=self.far, AWS_ENDPOINT_URL=self.far,
            BORG_RSH=f"{HERE}/delay_pipe.py {self.delay} {RATE} {self.pipe}")
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        subprocess.run(["rm", "-rf", self.dir], check=False)

    def rclone(self, command="copy"):
        return ["rclone", "--config", "/dev/null", "-q", command,
                "--transfers", "16", "--checkers", "16", "--s3-provider",
                "Ceph", "--s3-env-auth", "--s3-endpoint", self.near,
                "--s3-chunk-size", "64M", "--s3-no-check-bucket",
                "--ignore-checksum", "--copy-links"]

    def fill(self, source, prefix):
        """Put what lies in a directory below a prefix of the bucket."""
        subprocess.run([*self.rclone(), source, f":s3:yore/{prefix}"],
                       check=True)

    def counts(self):
        """Requests by kind and bytes received, so far."""
        found, received = {}, 0
        with open(self.log) as f:
            for line in f:
                columns = line.split()
                kind = columns[3].lower()
                found[kind] = found.get(kind, 0) + 1
                received += int(columns[6])
        return found, received

    def keep(self, prefix, target):
        """Bring what lies below a prefix back to a directory."""
        subprocess.run(["rm", "-rf", target], check=True)
        subprocess.run([*self.rclone(), f":s3:yore/{prefix}", target],
                       check=True)

    def sent(self):
        """Bytes that were put, so far."""
        with open(self.log) as f:
            return sum(int(line.split()[5]) for line in f)

    def pipe_counts(self):
        """Of borg's connection: turns (questions and answers), bytes."""
        try:
            with open(self.pipe) as f:
                turns, received = map(int, f.read().split())
        except (OSError, ValueError):
            return {}, 0
        return {"turn": turns}, received


class FarTool(Tool):
    """A program whose repository is behind the line."""

    def __init__(self, name, line):
        super().__init__(name)
        self.line = line

    def local(self, corpus_name):
        return super().repo(corpus_name)

    def repo(self, corpus_name):
        name = f"{self.name}-{corpus_name}"
        return {"restic": f"s3:{self.line.far}/yore/{name}",
                "borg": f"ssh://far{self.local(corpus_name)}",
                }.get(self.name, f"s3://yore/{name}")

    def counts(self):
        return (self.line.pipe_counts() if self.name in PIPED
                else self.line.counts())


class FarMount(Mount):
    """Counts what went over the line, whoever asked."""

    def __init__(self, phase, tool, corpus, run, record=True, again=False,
                 below=None):
        self.before = tool.counts()
        self.again = again  # with the caches that the last mount left
        super().__init__(phase, tool, corpus, run, record, below)

    def make_home(self, tool, corpus):
        return tool.home(f"far-{corpus.name}", empty=not self.again)

    def put(self, measure, value, unit, **more):
        if self.again:
            measure += " after a remount"
        super().put(measure, value, unit, **more)

    def metrics(self):
        return self.tool.counts()

    def requests_since(self, before):
        then, then_bytes = before or self.before
        now, now_bytes = self.tool.counts()
        return {k: n - then.get(k, 0) for k, n in now.items()
                if n > then.get(k, 0)}, now_bytes - then_bytes

    def put_requests(self, measure, since):
        kinds, received = since
        self.put(f"{measure} requests", sum(kinds.values()), "requests",
                 kinds=kinds)
        self.put(f"{measure} received", received, "B")

    def op(self, measure, argv, megabytes=None):
        super().op(measure, argv, megabytes)
        time.sleep(0.3 if COLD else 0)  # what was read ahead arrives


def sizes(path):
    return os.path.getsize(path)


def curls(line, phase, corpus, run, path):
    """What the line gives to eight connections that ask for ranges."""
    size, parts = sizes(path), 64
    step = -(-size // parts)
    ranges = "\n".join(f"{i * step}-{min(size, (i + 1) * step) - 1}"
                       for i in range(parts))
    argv = ("xargs -P8 -I{} curl -sSf -o /dev/null -r {} --aws-sigv4 "
            f"aws:amz:{os.environ['AWS_REGION']}:s3 --user "
            f"'{os.environ['AWS_ACCESS_KEY_ID']}:"
            f"{os.environ['AWS_SECRET_ACCESS_KEY']}' -H "
            "'x-amz-content-sha256: UNSIGNED-PAYLOAD' "
            f"{line.far}/yore/plain/{os.path.basename(path)}")
    before = time.perf_counter()
    done = subprocess.run(["bash", "-c", argv], input=ranges, text=True,
                          check=False, timeout=LIMIT)
    seconds = time.perf_counter() - before
    more = {"status": done.returncode} if done.returncode else {}
    put(phase, "curl", corpus.name, "sequential read", run, seconds, "s",
        **more)
    put(phase, "curl", corpus.name, "sequential read rate", run,
        size / 1e6 / seconds, "MB/s")


def fill(line, tool, corpus):
    """Bring the program's repository, or the tree itself, to the store."""
    if tool.name in PIPED:
        return
    if tool.name == "rclone":
        source = corpus.source
    elif tool.name == "squashfuse_rclone":
        source = tool.local(corpus.name).replace("_rclone", "")
    else:
        source = tool.local(corpus.name)
    if not os.path.isdir(source):
        complain(f"far: no repository {source}; the phase writer makes it")
        raise RuntimeError("nothing to read")
    line.fill(source, f"{tool.name}-{corpus.name}")


def writer_home(tool, corpus, empty):
    if empty:
        subprocess.run(["rm", "-rf", f"{HOMES}/{tool.name}-farw-{corpus.name}"],
                       check=False)
    return tool.home(f"farw-{corpus.name}", empty=empty)
