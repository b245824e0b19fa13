#!/usr/bin/env python3
"""Every file system call fails once, by strace: never a crash or a hang, and the next clean run has every line once."""

import os
import random
import re
import subprocess
import time

from machine import ENVIRONMENT, SKIPPED, Machine, Wrong, main

# Not write: files are written by pwrite, and write only goes to the terminal and to eventfds, which do not fail.
CALLS = (
    "openat read pread64 pwrite64 fsync fdatasync rename renameat renameat2 link linkat unlink unlinkat "
    "ftruncate mkdir mkdirat statx newfstatat getdents64 flock fcntl inotify_init1 inotify_add_watch"
).split()
ERRORS = {"ENOSPC": "openat pwrite64 fsync fdatasync rename renameat2 link linkat mkdir ftruncate".split()}
ROUNDS_PER_MACHINE = 12


def errors_of(call):
    return ["EIO"] + [error for error, calls in ERRORS.items() if call in calls]


def prepare(machine, chance):
    """Something of everything to read: old lines, new lines, a rotated file, a packed one."""
    machine.append("auth.log", chance.randint(1, 30))
    machine.append("nova-api.log", chance.randint(1, 3), lambda: "y" * 5000)
    if chance.random() < 0.5:
        machine.rotate("auth.log", compress=chance.random() < 0.5)
        machine.append("auth.log", 3)


def count_calls(arguments, directory):
    """Of each call: how many come before main() reads its configuration, and how many there are."""
    machine = Machine(arguments.enclave, os.path.join(directory, "count"))
    prepare(machine, random.Random(arguments.seed))
    log = machine.path("strace")
    machine.run("run", "--once", prefix=["strace", "-f", "-qq", "-o", log, "-e", f"trace={','.join(CALLS)}"])
    counts = {call: [0, 0] for call in CALLS}
    begun = False
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            begun = begun or machine.config in line
            found = re.match(r"\d+\s+(\w+)\(", line)
            if found and found[1] in counts:
                counts[found[1]][1] += 1
                counts[found[1]][0] += 0 if begun else 1
    if not begun:
        raise Wrong("strace did not see the configuration being read")
    return counts


def cases(counts, chance, limit):
    """(call, error, n): all of them where there is time, else a sample that leaves no call out."""
    whole = [
        (call, error, n)
        for call, (before, total) in counts.items()
        for n in range(before + 1, total + 1)
        for error in errors_of(call)
    ]
    if limit == 0 or len(whole) <= limit:
        return whole, len(whole)
    by_call = {}
    for case in whole:
        by_call.setdefault(case[:2], []).append(case)
    share = limit // len(by_call)
    chosen = [case for group in by_call.values() for case in chance.sample(group, min(share, len(group)))]
    rest = [case for case in whole if case not in set(chosen)]
    return chosen + chance.sample(rest, min(len(rest), limit - len(chosen))), len(whole)


def can_trace():
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "inject=fsync:error=EIO", "true"],
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
    )
    return done.returncode == 0


def test(arguments, directory):
    try:
        if not can_trace():
            print("skipped: strace may not trace here")
            return SKIPPED
    except FileNotFoundError:
        print("skipped: strace is not installed")
        return SKIPPED
    chance = random.Random(arguments.seed)
    chosen, total = cases(count_calls(arguments, directory), chance, arguments.cases)
    chance.shuffle(chosen)
    deadline = time.monotonic() + arguments.seconds
    done = 0
    machine = None
    for place, (call, error, n) in enumerate(chosen):
        if arguments.seconds > 0 and time.monotonic() > deadline:
            break
        if place % ROUNDS_PER_MACHINE == 0:
            machine = Machine(arguments.enclave, os.path.join(directory, str(place)))
        prepare(machine, chance)
        inject = f"inject={call}:error={error}:when={n}"
        prefix = ["strace", "-f", "-qq", "-o", machine.path("strace"), "-e", f"trace={call}", "-e", inject]
        try:
            machine.run("run", "--once", prefix=prefix)
            machine.judge()
        except Wrong as wrong:
            raise Wrong(f"{inject} in {machine.root}: {wrong}") from wrong
        done += 1
    print(f"{done} of {total} failures tried, each followed by a clean run")
    return 0


# Bounded for the test run; --cases 0 --seconds 0 tries all.
main(test, cases=220, seconds=200)
