# SPDX-License-Identifier: GPL-2.0-or-later
"""The corpora as working trees: one tree each, brought from state to state."""
import json
import os
import random
import shutil
import sqlite3
import stat
import subprocess

from common import CORPORA, WORK

BASE_TIME = 1_700_000_000


class Corpus:
    def __init__(self, name):
        self.name = name
        self.made = self.made_at(name)
        self.tree = f"{WORK}/{name}"
        if name in ("C1", "C2"):
            self.states = len(os.listdir(f"{self.made}/snaps"))
        elif name == "C3":
            self.states = int(os.environ.get("C3_STATES", 5))
        else:
            self.states = 1

    @staticmethod
    def made_at(name):
        return f"{CORPORA}/{name[:2]}"

    @property
    def source(self):
        return os.path.realpath(self.tree)

    @property
    def newest(self):
        """The name of the snapshot of the last state."""
        return f"s{self.states:02d}"

    def database(self):
        with open(f"{self.made}/info.json") as f:
            return json.load(f)

    # A note beside the tree says which state it is in, and what is in it.
    def note(self):
        try:
            with open(f"{self.tree}.json") as f:
                return json.load(f)
        except (OSError, ValueError):
            return {"state": 0}

    def write_note(self, **what):
        with open(f"{self.tree}.json", "w") as f:
            json.dump(what, f)

    def step(self, state):
        """Bring the tree to a state: the first, or the one after its own."""
        self.write_note(state=0)
        os.makedirs(WORK, exist_ok=True)
        if self.name in ("C1", "C2"):
            self.copy_state(state)
        elif self.name == "C3" and state == 1:
            self.copy_database()
        elif self.name == "C5":
            os.makedirs(self.tree, exist_ok=True)
        elif self.name == "C3":
            self.change_database(state)
        elif not os.path.islink(self.tree):
            part = "flat" if self.name == "C4flat" else "many"
            os.symlink(f"{self.made}/{part}", self.tree)
        self.write_note(state=state)

    def go_to_last(self):
        state = self.note()["state"]
        if self.name != "C3":
            state = state if state == self.states else self.states - 1
        elif state > self.states:
            state = 0
        for i in range(state + 1, self.states + 1):
            self.step(i)

    def copy_state(self, state):
        subprocess.run(["rsync", "-aH", "--delete",
                        f"{self.made}/snaps/{state:02d}/", f"{self.tree}/"],
                       check=True)

    def copy_database(self):
        os.makedirs(self.tree, exist_ok=True)
        shutil.copy2(f"{self.made}/base.db", f"{self.tree}/base.db")
        if not os.path.exists(f"{self.tree}/big.bin"):
            os.link(f"{self.made}/big.bin", f"{self.tree}/big.bin")

    def change_database(self, state):
        """Change rows on about 1 % of the pages, everywhere in the file."""
        info = self.database()
        r = random.Random(state)
        db = sqlite3.connect(f"{self.tree}/base.db")
        db.executescript("pragma synchronous=off; pragma journal_mode=memory;")
        for _ in range(info["bytes"] // 4096 // 100):
            row = r.randint(1, info["events"])
            db.execute(
                """update events set kind='note', ts=?,
                   payload=replace(payload, substr(payload, 9, 32), ?)
                   where id=?""",
                (BASE_TIME + state, f"{r.getrandbits(128):032x}", row))
        db.commit()
        db.close()
        when = BASE_TIME + state * 3600
        os.utime(f"{self.tree}/base.db", (when, when))

    def facts(self):
        """Entries, files, bytes, and names of some small files."""
        note = self.note()
        if "entries" not in note:
            note.update(count(self.source))
            self.write_note(**note)
        return note


def count(top):
    entries, files, size, names = 1, 0, 0, []
    seen = set()
    for where, dirs, here in os.walk(top):
        dirs.sort()
        entries += len(dirs) + len(here)
        for name in sorted(here):
            st = os.lstat(f"{where}/{name}")
            if not stat.S_ISREG(st.st_mode) or st.st_ino in seen:
                continue
            if st.st_nlink > 1:
                seen.add(st.st_ino)
            files += 1
            size += st.st_size
            if 500 < st.st_size < 9000:
                names.append(f"{where}/{name}"[len(top) + 1:])
    return {"entries": entries, "files": files, "bytes": size,
            "names": names[::max(1, len(names) // 1000)]}


def disk_usage(top):
    """Objects and bytes below a directory."""
    objects = size = 0
    for where, _, names in os.walk(top):
        for name in names:
            objects += 1
            size += os.lstat(f"{where}/{name}").st_size
    return objects, size
