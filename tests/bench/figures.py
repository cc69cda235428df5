# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of a results file, by phase, tool, corpus and measure."""
import json
import statistics

RATES = ("MB/s", "IOPS")


class Figure:
    """All runs of one measure."""

    def __init__(self, lines):
        self.lines = lines
        self.unit, self.session = lines[0]["unit"], lines[0]["session"]
        self.values = [line["value"] for line in lines]
        self.median = statistics.median(self.values)
        self.status = [line["status"] for line in lines if "status" in line]
        self.states = lines[0].get("states")

    @property
    def good(self):
        return not self.status

    def kinds(self):
        """Requests by kind, summed over the runs."""
        total = {}
        for line in self.lines:
            for kind, n in line.get("kinds", {}).items():
                total[kind] = total.get(kind, 0) + n
        return total

    def print(self):
        if "timeout" in self.status:
            return f"> {number(self.median, self.unit)}"
        if self.status:
            return "failed"
        text = number(self.median, self.unit)
        if len(self.values) > 1:
            ends = (number(f(self.values), self.unit) for f in (min, max))
            text += f" ({'–'.join(ends)})"
        return text


def number(value, unit):
    """Without the unit; bytes as megabytes."""
    if unit == "B":
        value /= 1e6
    if unit in ("IOPS", "objects", "requests") or value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.01 or value == 0 else f"{value:.4f}"


class Figures:
    """Of each tool, phase and corpus the newest session counts."""

    def __init__(self, path):
        self.facts, newest, lines = {}, {}, []
        with open(path) as f:
            for text in f:
                line = json.loads(text)
                if "facts" in line:
                    self.facts[line["facts"]["session"]] = line["facts"]
                else:
                    lines.append(line)
                    newest[self.origin(line)] = line["session"]
        self.by_key, self.failures = {}, []
        for line in lines:
            if newest[self.origin(line)] != line["session"]:
                continue
            if line["measure"] == "failed":
                self.failures.append(line)
                continue
            key = (*self.origin(line), line["measure"])
            self.by_key.setdefault(key, []).append(line)
        self.by_key = {k: Figure(v) for k, v in self.by_key.items()}

    @staticmethod
    def origin(line):
        return line["phase"], line["corpus"], line["tool"]

    def get(self, phase, corpus, tool, measure):
        return self.by_key.get((phase, corpus, tool, measure))

    def of(self, phase, corpus, tool):
        """(measure, figure), in the order they were taken."""
        return [(k[3], f) for k, f in self.by_key.items()
                if k[:3] == (phase, corpus, tool)]
