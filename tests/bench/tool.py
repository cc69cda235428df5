# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the programs that are compared: tools/NAME.sh.

Such a file is sourced by bash and defines what the program can do:
  tool_kind     print backup, image or reference
  tool_version  print what it is
  tool_init     make the empty repository $REPO
  tool_backup   store the tree $SRC in $REPO as the snapshot $NAME
  tool_mount    exec the daemon that mounts $REPO on $MNT, in the foreground
  tool_umount   end it (by default umount)
  tool_root     print where the tree of $NAME is seen ($SRC is the original)
  tool_restore  the program's own way to write $NAME to $DST
$TOOLHOME is where its caches have to be: empty when a figure is a cold one.
"""
import collections
import json
import os
import resource
import shutil
import subprocess
import threading
import time

from common import (HERE, HOMES, LIMIT, LONG, MOUNTS, REPOS, WARM_TRIES,
                    Watchdog, drop_caches, put, refaults, start, timed,
                    wait_for_calm)

# A command that was done once: seconds, exit status, pages of files that had
# been dropped and were read again, processor of the daemon, its requests.
Once = collections.namedtuple("Once", "seconds status lost cpu requests")


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def peak_of(pid):
    """MiB."""
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class Family(threading.Thread):
    """The processes that descend from one: the peak of their memory together,
    of those that live at the same time.  The first is only counted on wish,
    when it is not the bash that ran the tool."""

    def __init__(self, pid, with_first=False):
        super().__init__(daemon=True)
        self.pid, self.with_first = pid, with_first
        self.known = {}  # pid -> whether it belongs to the family
        self.peak = 0.0
        self.over = threading.Event()

    def members(self):
        alive = [int(p) for p in os.listdir("/proc") if p.isdigit()]
        parents = {p: parent_of(p) for p in alive if p not in self.known}
        self.known = {p: self.known[p] for p in alive if p in self.known}
        self.known.update({p: p == self.pid for p in parents})
        found = True
        while found:
            found = [p for p in parents if not self.known[p]
                     and self.known.get(parents[p])]
            self.known.update({p: True for p in found})
        return [p for p, ours in self.known.items()
                if ours and (self.with_first or p != self.pid)]

    def look(self):
        self.peak = max(self.peak, sum(map(peak_of, self.members())))
        return self.peak

    def run(self):
        while not self.over.wait(0.04):
            self.look()


class Usage:
    """What a run of a tool cost."""

    def __init__(self, seconds, usage, peak, status):
        self.wall, self.status = seconds, status
        self.cpu = usage.ru_utime + usage.ru_stime
        # The kernel's own record is exact, but cannot be lower than ours: a
        # process starts as a copy of its parent.
        exact = usage.ru_maxrss / 1024
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.peak = max(peak, exact if exact > ours else 0)


class Tool:
    def __init__(self, name):
        self.name = name
        self.kind = self.say("tool_kind")

    def command(self, function, **variables):
        path = f"{HERE}/tools/{self.name}.sh"
        env = dict(os.environ, TOOLHOME="/nonexistent")
        env.update({k: str(v) for k, v in variables.items()})
        return ["bash", "-c", 'set -e; . "$0"; "$1"', path, function], env

    def say(self, function, **variables):
        argv, env = self.command(function, **variables)
        return subprocess.run(argv, env=env, capture_output=True, text=True,
                              check=False).stdout.strip()

    def has(self, function):
        argv, env = self.command(function)
        argv[2] = '. "$0"; declare -F "$1"'
        return subprocess.run(argv, env=env, capture_output=True,
                              check=False).returncode == 0

    def run(self, function, **variables):
        argv, env = self.command(function, **variables)
        before = time.perf_counter()
        process = start(argv, env=env)
        family = Family(process.pid)
        family.start()
        with Watchdog(process, LIMIT * 4) as dog:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        family.over.set()
        family.join()
        return Usage(seconds, usage, family.peak,
                     "timeout" if dog.bit else process.returncode)

    def repo(self, corpus_name):
        return f"{REPOS}/{self.name}-{corpus_name}"

    def home(self, purpose, empty):
        path = f"{HOMES}/{self.name}-{purpose}"
        if empty:
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path, exist_ok=True)
        return path


class Mount:
    """A mounted snapshot; the tree itself for a tool that mounts nothing."""

    def __init__(self, phase, tool, corpus, run, record=True, below=None):
        self.phase, self.tool, self.run = phase, tool, run
        self.corpus = corpus.name
        self.path = f"{MOUNTS}/{tool.name}"
        os.makedirs(self.path, exist_ok=True)
        self.variables = {
            "TOOLHOME": self.make_home(tool, corpus),
            "REPO": tool.repo(corpus.name), "NAME": corpus.newest,
            "SRC": corpus.source, "MNT": self.path}
        self.root = (f"{self.path}/{below}" if below
                     else tool.say("tool_root", **self.variables))
        self.plain = self.root == corpus.source
        drop_caches()
        self.busy = wait_for_calm()
        self.start()
        try:
            self.wait_until_ready(record)
        except BaseException:
            self.close()
            raise

    def make_home(self, tool, corpus):
        return tool.home(f"mount-{corpus.name}", empty=True)

    def put(self, measure, value, unit, **more):
        put(self.phase, self.tool.name, self.corpus, measure, self.run, value,
            unit, **more)

    def start(self):
        self.device = os.stat(self.path).st_dev
        argv, env = self.tool.command("tool_mount", **self.variables)
        self.began = time.perf_counter()
        self.process = start(argv, env=env)

    def mounted(self):
        try:
            return self.plain or os.stat(self.path).st_dev != self.device
        except OSError:
            return False

    def wait_until_ready(self, record):
        with Watchdog(self.process):
            while not self.mounted():
                if self.process.poll() is not None:
                    raise RuntimeError("the mount does not come up")
                time.sleep(0.001)
            ready = time.perf_counter() - self.began
            while timed(["ls", f"{self.root}/"])[1] != 0:
                if self.process.poll() is not None:
                    raise RuntimeError("the mount shows no snapshot")
                time.sleep(0.02)
            listed = time.perf_counter() - self.began
        if record and not self.plain:
            self.put("mount ready", ready, "s")
        if record:
            self.put("mount start to first ls done", listed, "s",
                     busy=self.busy)
            self.put_requests("mount and first ls", self.requests_since({}))

    def metrics(self):
        """What yore has been asked, and has asked of its store."""
        path = f"{self.path}/.yore/metrics.json"
        if self.plain or self.tool.name != "yore" or not os.path.exists(path):
            return {}
        with open(path) as f:
            found = json.load(f)
        counts = {op: x["requests"] for op, x in found["fuse"].items()}
        counts["store list"] = found["store_list_requests_total"]
        counts["store get"] = found["store_get_requests_total"]
        return counts

    def requests_since(self, before):
        return {k: n - before.get(k, 0) for k, n in self.metrics().items()
                if n > before.get(k, 0) and k != "forget"}

    def put_requests(self, measure, kinds):
        if self.tool.name == "yore":
            fuse = sum(n for k, n in kinds.items() if "store" not in k)
            self.put(f"{measure} requests", fuse, "requests", kinds=kinds)

    def cpu(self):
        try:
            with open(f"/proc/{self.process.pid}/stat") as f:
                times = f.read().rsplit(")", 1)[1].split()[11:13]
        except OSError:
            return 0
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    def op(self, measure, argv, megabytes=None):
        """Time a command that reads the mount.  One that is to be warm is
        done again when the kernel had dropped something that was read: what
        counts is the time with the least of that."""
        tries = WARM_TRIES if measure.endswith(" warm") else 1
        best = self.once(argv)
        while (tries := tries - 1) and best.lost and not best.status and (
                best.seconds < LONG / 5):
            best = min(best, self.once(argv), key=lambda o: o.lost)
        more = {"status": best.status} if best.status else {}
        if measure.endswith(" warm"):
            more["refaults"] = best.lost
        self.put(measure, best.seconds, "s", daemon_cpu=best.cpu, **more)
        if megabytes and not best.status:
            self.put(f"{measure} rate", megabytes / best.seconds, "MB/s")
        self.put_requests(measure, best.requests)

    def once(self, argv):
        cpu, before, lost = self.cpu(), self.metrics(), refaults()
        seconds, status = timed(argv)
        return Once(seconds, status, refaults() - lost,
                    round(self.cpu() - cpu, 2), self.requests_since(before))

    def first_byte(self, measure, name):
        with Watchdog(self.process):
            before = time.perf_counter()
            fd = os.open(f"{self.root}/{name}", os.O_RDONLY)
            os.read(fd, 1)
            os.close(fd)
        self.put(measure, time.perf_counter() - before, "s")

    def close(self, label=None):
        died = self.process.poll() is not None
        if label and not self.plain and not died:
            family = Family(self.process.pid, with_first=True)
            self.put(f"daemon peak memory {label}", family.look(), "MiB")
        if self.plain:
            self.process.kill()
        else:
            self.unmount()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if label and died:
            raise RuntimeError("the daemon has died")

    def is_listed(self):
        """Also when the daemon is dead."""
        with open("/proc/self/mounts") as f:
            return any(line.split()[1] == self.path for line in f)

    def unmount(self):
        own = self.tool.has("tool_umount")
        for _ in range(50):
            if not self.is_listed():
                return
            if own:
                self.tool.say("tool_umount", **self.variables)
            else:
                subprocess.run(["umount", self.path], capture_output=True,
                               check=False)
            own = False
            time.sleep(0.05)
        subprocess.run(["umount", "-l", self.path], check=False)
