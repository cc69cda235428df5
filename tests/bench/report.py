#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of a results file: report.py [--into README] results.jsonl

With --into, what stands between the two marker lines of that file is replaced;
only by figures of the full corpora.
"""
import json
import sys

from figures import RATES, Figures
from goals import print_goals

COLUMNS = ["native", "squashfuse", "squashfuse_rclone", "rclone", "curl",
           "restic", "borg", "casync", "litestream", "litestream_vfs", "yore"]
PEERS = ["restic", "borg", "casync", "litestream", "litestream_vfs"]
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

TITLES = {
    "writer": "Backups", "meta": "Mount, names and attributes",
    "data": "Everything read with tar",
    "grep": "Everything searched by two processes",
    "big": "Incompressible file, in order", "db": "Database",
    "restore": "Getting everything back", "many": "Many files",
    "snapshots": "Many snapshots",
    "far_tree": "Behind a line: a tree", "far_db": "Behind a line: a database",
    "far_writer": "Behind a line: backups",
    "far_keep": "Behind a line: replicating a database",
    "far_points": "Behind a line: moments of a database",
    "far_copy": "Behind a line: all of a database",
}
CORPORA = ["C1", "C2", "C3", "C4", "C4flat", "C5"]


def measures_of(figures, phase, corpus):
    """Those of all tools, in the order they were taken.  A rate says no more
    than the seconds before it, but is customary for reading in order."""
    found = {}
    for tool in reversed(COLUMNS):
        for measure, figure in figures.of(phase, corpus, tool):
            if figure.unit == "requests" and not phase.startswith("far"):
                continue
            if measure.endswith(" rate") and phase not in ("big", "far_db"):
                continue
            found.setdefault(measure, figure.unit)
    return found


def best_peer(figures, phase, corpus, measure):
    found = [figures.get(phase, corpus, t, measure) for t in PEERS]
    found = [f for f in found if f and f.good]
    if not found:
        return None
    best = max if found[0].unit in RATES else min
    return best(found, key=lambda f: f.median)


def ratio(ours, other):
    if not ours or not other or not ours.good or not other.good:
        return ""
    if not other.median:
        return ""
    note = "" if ours.session == other.session else " (other run)"
    return f"{ours.median / other.median:.2f}{note}"


def cell(figure, most_states):
    if figure is None:
        return ""
    text = figure.print()
    if figure.states and figure.states < most_states:
        text += f" ({figure.states} of {most_states} states)"
    return text


def row(figures, phase, corpus, measure, unit, tools):
    found = {t: figures.get(phase, corpus, t, measure) for t in COLUMNS}
    states = max((f.states or 0 for f in found.values() if f), default=0)
    ours = found["yore"]
    unit = {"B": ", MB", "objects": ""}.get(unit, f", {unit}")
    cells = [measure + unit]
    cells += [cell(found[t], states) for t in tools]
    cells += [ratio(ours, found["native"]), ratio(ours, found["squashfuse"]),
              ratio(ours, best_peer(figures, phase, corpus, measure))]
    return "| " + " | ".join(cells) + " |"


def table(figures, phase, corpus):
    measures = measures_of(figures, phase, corpus)
    tools = [t for t in COLUMNS if figures.of(phase, corpus, t)]
    if not measures:
        return []
    heads = [corpus, *tools, "yore : native", "yore : squashfuse",
             "yore : best peer"]
    lines = ["", f"### {TITLES[phase]}, {corpus}", "",
             "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return lines + [row(figures, phase, corpus, m, unit, tools)
                    for m, unit in measures.items()]


def request_table(figures):
    lines = []
    for (phase, corpus, tool, measure), figure in figures.by_key.items():
        if figure.unit != "requests" or phase.startswith("far"):
            continue
        kinds = ", ".join(f"{n:,} {k}" for k, n in figure.kinds().items())
        what = measure.removesuffix(" requests")
        lines.append(f"| {phase} | {corpus} | {what} | {kinds or 'none'} |")
    if not lines:
        return []
    return ["", "### What the kernel asked yore, and yore its store", "",
            "| phase | corpus | operation | requests |", "|---|---|---|---|",
            *lines]


def print_facts(facts):
    lines = ["| | |", "|---|---|"]
    for name, value in facts.items():
        if name not in ("tools", "session"):
            lines.append(f"| {name.replace('_', ' ')} | {value} |")
    for tool, version in facts["tools"].items():
        lines.append(f"| {tool} | {version} |")
    return lines


def machines(figures):
    """Sessions that were alike in everything share a table."""
    alike = {}
    for session in sorted({f.session for f in figures.by_key.values()}):
        facts = dict(figures.facts[session], session="")
        alike.setdefault(json.dumps(facts), []).append(session)
    lines = []
    for facts, sessions in alike.items():
        lines += ["", f"### The machine, {', '.join(sessions)}", ""]
        lines += print_facts(json.loads(facts))
    return lines


def print_all(figures):
    lines = ["### Goals", "", *print_goals(figures)]
    snapshots = sorted({k[1] for k in figures.by_key if k[0] == "snapshots"},
                       key=lambda s: int(s[1:]))
    for phase in TITLES:
        corpora = snapshots if phase == "snapshots" else CORPORA
        for corpus in corpora:
            lines += table(figures, phase, corpus)
    lines += request_table(figures)
    if figures.failures:
        lines += ["", "### Failures", ""]
        lines += [f"- {f['phase']} {f['tool']} {f['corpus']}: {f['why']}"
                  for f in figures.failures]
    lines += machines(figures)
    return "\n".join(lines) + "\n"


def replace(path, text):
    with open(path) as f:
        old = f.read()
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        sys.exit(f"{path}: no lines {BEGIN} and {END}")
    head, rest = old.split(BEGIN)
    tail = rest.split(END)[1]
    with open(path, "w") as f:
        f.write(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")


def main():
    arguments = sys.argv[1:]
    into = None
    if len(arguments) == 3 and arguments[0] == "--into":
        into = arguments[1]
    elif len(arguments) != 1:
        sys.exit(__doc__)
    figures = Figures(arguments[-1])
    text = print_all(figures)
    if into is None:
        print(text, end="")
        return
    used = {f.session for f in figures.by_key.values()}
    if any(figures.facts[s]["scale"] != "full" or not figures.facts[s]["cold"]
           for s in used):
        sys.exit("these figures are not of the full corpora with cold caches")
    replace(into, text)


if __name__ == "__main__":
    main()
