# SPDX-License-Identifier: GPL-2.0-or-later
"""The goals, each a ratio of two figures of one run, or a plain limit."""
from collections import namedtuple

from figures import number

# ours: (phase, corpus, measure).  reference: a tool, None for a plain limit.
# other: the reference's measure where it is another one.
Goal = namedtuple("Goal", "text ours reference limit at_least other",
                  defaults=(False, None))

SMALL_TIME = 0.05  # s
MB64 = 61  # MiB


def backups():
    for c in ("C2", "C3"):
        yield Goal(f"{c}: first backup, s", ("writer", c, "first backup"),
                   "restic", 0.5)
    unchanged = ("writer", "C2", "unchanged backup")
    yield Goal("C2: unchanged backup, s", unchanged, "restic", 0.4)
    yield Goal("C2: unchanged backup to find -ls of the source, s", unchanged,
               "native", 2, other="find -ls cold")
    for c in ("C2", "C3"):
        yield Goal(f"{c}: backups, peak memory, MiB",
                   ("writer", c, "* peak memory"), None, 128)


def repositories():
    for c in ("C1", "C2"):
        yield Goal(f"{c}: repository of all states, MB",
                   ("writer", c, "repository after all"), "borg", 1)
    yield Goal("C3: repository of all states, MB",
               ("writer", "C3", "repository after all"), "casync", 1)


def metadata(snapshots):
    for n in snapshots:
        yield Goal(f"{n} snapshots: mount start to first ls done, s",
                   ("snapshots", f"S{n}", "mount start to first ls done"),
                   None, SMALL_TIME)
    for measure, limit in (("ls -lR cold", 2), ("ls -lR warm", 1.2),
                           ("find cold", 1.2)):
        yield Goal(f"C2: {measure}, s", ("meta", "C2", measure), "native",
                   limit)


def reading():
    yield Goal("C2: tar cold, s", ("data", "C2", "tar cold"), "native", 1)
    yield Goal("C2: tar warm, s", ("data", "C2", "tar warm"), "native", 1.2)
    yield Goal("C2: tar warm, OPEN and READ requests",
               ("data", "C2", "tar warm requests"), None, 0)
    yield Goal("C3: sequential read cold, MB/s",
               ("big", "C3", "sequential read cold rate"), "squashfuse", 2,
               True)
    for measure in ("random reads cold, 1 job", "random reads then, 4 jobs"):
        yield Goal(f"C3: {measure}, IOPS", ("db", "C3", measure),
                   "squashfuse", 2, True)
    for measure in ("random reads warm, 1 job", "random reads warm, 4 jobs"):
        yield Goal(f"C3: {measure}, IOPS", ("db", "C3", measure), "native",
                   0.8, True)


def databases():
    yield Goal("C3: SQLite 100 queries cold, s",
               ("db", "C3", "SQLite 100 queries cold"), "native", 3)
    yield Goal("C3: SQLite full scan cold, s",
               ("db", "C3", "SQLite full scan cold"), "native", 1.5)
    yield Goal("all phases: mount daemon, peak memory, MiB",
               ("*", "*", "daemon peak memory *"), None, 128)


def small_files():
    yield Goal("C4: repository, MB",
               ("writer", "C4", "repository after the first"), "restic", 0.55)
    yield Goal("C4: first backup, s", ("writer", "C4", "first backup"),
               "restic", 0.5)
    yield Goal("C4: find cold, s", ("many", "C4", "find cold"), "native", 1.5)
    yield Goal("C4flat: ls -lR cold, s", ("many", "C4flat", "ls -lR cold"),
               "native", 2)
    yield Goal("C4flat: mount daemon, peak memory, MiB",
               ("many", "C4flat", "daemon peak memory *"), None, 64)


def restores():
    yield Goal("C2: rsync -a from the mount to restic's own restore, s",
               ("restore", "C2", "rsync -a from the mount"), "restic", 1,
               other="own restore")
    yield Goal("C2: own restore, s", ("restore", "C2", "own restore"),
               "restic", 0.7)


def far():
    """Behind 30 ms and 1 Gbit/s."""
    yield Goal("far, C3: sequential read, MB/s",
               ("far_db", "C3", "sequential read rate"), "curl", 0.8, True)
    for after in ("", " after a remount"):
        yield Goal(f"far, C1: tar{after}, s",
                   ("far_tree", "C1", f"tar{after}"), "squashfuse_rclone", 1)
    yield Goal("far, C1: tar, requests",
               ("far_tree", "C1", "tar requests"), None, 40)
    yield Goal("far, C1: mount and first ls, requests",
               ("far_tree", "C1", "mount and first ls requests"), None, 10)
    for peer in ("restic", "borg"):
        yield Goal(f"far, C3: SQLite 100 queries cold, s ({peer})",
                   ("far_db", "C3", "SQLite 100 queries cold"), peer, 0.6)
    yield Goal("far, C3: SQLite 100 queries cold, MB",
               ("far_db", "C3", "SQLite 100 queries cold received"), "restic",
               0.5)
    for what in ("ls -lR", "find", "tar"):
        yield Goal(f"far, C1: {what} after a remount, requests",
                   ("far_tree", "C1", f"{what} requests after a remount"),
                   None, 1)
    yield Goal("far, C2: first backup, s",
               ("far_writer", "C2", "first backup"), "restic", 1)


def far_databases():
    """Behind 20 ms; a live database of 1 GB, an hour of it."""
    def point(measure):
        return "far_points", "C5", measure

    vfs, moment = "litestream_vfs", "a moment, by an index"
    yield Goal("far, C5: a moment, by an index, requests",
               point(f"{moment} requests"), vfs, 1 / 3)
    yield Goal("far, C5: a moment, by an index, MB",
               point(f"{moment} received"), vfs, 0.1)
    yield Goal("far, C5: index scan, s", point("index scan"), vfs, 1 / 30)
    yield Goal("far, C5: index scan again, requests",
               point("index scan again requests"), None, 0)
    yield Goal("far, C5: a row in a second process, requests",
               point("a second process: a row requests"), None, 0)
    yield Goal("far, C5: moments: mount daemon, peak memory, MiB",
               point("peak memory*"), None, MB64)
    yield Goal("far, C5: cp from the mount: its daemon, peak memory, MiB",
               ("far_copy", "C5", "daemon peak memory*"), None, MB64)
    for measure in ("own restore", "cp from the mount"):
        yield Goal(f"far, C5: {measure}, s", ("far_copy", "C5", measure),
                   "litestream", 0.5, other="own restore")
    for what in ("base", "an hour"):
        yield Goal(f"far, C5: {what} uploaded, MB",
                   ("far_keep", "C5", f"{what} sent"), "litestream", 1)
    yield Goal("far, C5: replicator, requests in an idle hour",
               ("far_keep", "C5", "an idle hour requests"), None, 12)


def all_goals(figures):
    counts = sorted({int(k[1][1:]) for k in figures.by_key
                     if k[0] == "snapshots"} or {2, 2000})
    for part in (backups(), repositories(), metadata(counts), reading(),
                 databases(), small_files(), restores(), far(),
                 far_databases()):
        yield from part


def matches(pattern, text):
    """With one * at an end, or none."""
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return pattern == text


def our_value(figures, goal):
    """(value, unit, session) of yore, None when it was not measured; the value
    is None when something failed.  Of several figures the greatest value
    counts, of requests OPEN and READ."""
    found = [f for k, f in figures.by_key.items() if k[2] == "yore"
             and matches(goal.ours[0], k[0]) and matches(goal.ours[1], k[1])
             and matches(goal.ours[2], k[3])]
    if not found:
        return None
    unit, session = found[0].unit, found[0].session
    if not all(f.good for f in found):
        return None, unit, session
    if unit == "requests" and not goal.ours[0].startswith("far"):
        kinds = found[0].kinds()
        return kinds.get("open", 0) + kinds.get("read", 0), unit, session
    if "*" in goal.ours[2]:
        return max(max(f.values) for f in found), unit, session
    return found[0].median, unit, session


def judge(figures, goal):
    """Cells of the goal's row, and whether it is met (None: not known)."""
    bound = f"{'≥' if goal.at_least else '≤'} {goal.limit:g}"
    ours = our_value(figures, goal)
    if ours is None:
        return [goal.text, "–", "–", "–", bound, "not measured"], None
    value, unit, session = ours
    if value is None:
        return [goal.text, "failed", "–", "–", bound, "**no**"], False
    if goal.reference is None:
        met = value <= goal.limit
        cells = [goal.text, number(value, unit), "–", "–", bound]
        return cells + ["yes" if met else "**no**"], met
    phase, corpus, measure = goal.ours
    other = figures.get(phase, corpus, goal.reference, goal.other or measure)
    if other is None or not other.good or not other.median:
        return [goal.text, number(value, unit), f"{goal.reference} –", "–",
                bound, "not measured"], None
    ratio = value / other.median
    met = ratio >= goal.limit if goal.at_least else ratio <= goal.limit
    note = "" if other.session == session else " (other run)"
    return [goal.text, number(value, unit),
            f"{goal.reference} {number(other.median, unit)}{note}",
            f"{ratio:.2f}", bound, "yes" if met else "**no**"], met


def print_goals(figures):
    lines = ["| goal | yore | reference | ratio | limit | met |",
             "|---|---|---|---|---|---|"]
    verdicts = []
    for goal in all_goals(figures):
        if not any(matches(goal.ours[0], key[0]) for key in figures.by_key):
            continue  # that phase is for another day
        cells, met = judge(figures, goal)
        verdicts.append(met)
        lines.append("| " + " | ".join(cells) + " |")
    said = f"{verdicts.count(True)} of {len(verdicts)} met"
    if None in verdicts:
        said += f", {verdicts.count(None)} not measured"
    return lines + ["", said + "."]
