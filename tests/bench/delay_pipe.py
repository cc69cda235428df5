#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""In ssh's place (BORG_RSH): runs the command here, as if it were far away.

    delay_pipe.py DELAY RATE COUNT HOST COMMAND...

What the command answers is held back DELAY ms and passes at RATE Mbit/s, as
what it is told does.  COUNT is a file that says how often it was asked anew
after an answer, and how many bytes it answered."""
import os
import queue
import subprocess
import sys
import threading
import time


class Pipe:
    """One direction; held back by `delay` seconds."""

    def __init__(self, source, target, delay, rate, each):
        self.source, self.target, self.each = source, target, each
        self.delay, self.seconds_a_byte = delay, 8 / (rate * 1e6)
        self.queue = queue.Queue(256)
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self.take, self.give)]
        for t in self.threads:
            t.start()

    def take(self):
        free_at = 0.0  # when the line can take the next byte
        while True:
            try:
                data = os.read(self.source, 1 << 17)
            except OSError:
                data = b""
            self.each(len(data))
            now = time.monotonic()
            free_at = max(free_at, now) + len(data) * self.seconds_a_byte
            self.queue.put((free_at + self.delay, data))
            if not data:
                return

    def give(self):
        while True:
            when, data = self.queue.get()
            time.sleep(max(0, when - time.monotonic()))
            if not data:
                return
            try:
                while data:
                    data = data[os.write(self.target, data):]
            except OSError:
                return


class Count:
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.lock = threading.Lock()
        self.turns, self.received, self.answered = 0, 0, True

    def said(self, n):
        with self.lock:
            if n and self.answered:
                self.turns, self.answered = self.turns + 1, False
                self.write()

    def heard(self, n):
        with self.lock:
            self.received, self.answered = self.received + n, True
            self.write()

    def write(self):
        os.pwrite(self.file, f"{self.turns:20} {self.received:20}\n".encode(),
                  0)


def main():
    delay, rate = float(sys.argv[1]) / 1000, float(sys.argv[2])
    count = Count(sys.argv[3])
    command = sys.argv[5:]
    with subprocess.Popen(command, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        up = Pipe(0, process.stdin.fileno(), 0, rate, count.said)
        down = Pipe(process.stdout.fileno(), 1, delay, rate, count.heard)
        up.threads[1].join()
        process.stdin.close()
        down.threads[1].join()
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
