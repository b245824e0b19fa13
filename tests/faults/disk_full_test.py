#!/usr/bin/env python3
"""The disk of the state directory fills up: reading stops and says so; with space again it goes on, nothing is lost."""

import json
import os
import random
import subprocess

from machine import SKIPPED, Machine, Wrong, main, running, wait_for

DISK_BYTES = 4 << 20
ROOM_BYTES = 96 << 10


def status(machine):
    done = machine.run("status", "--json")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise Wrong(f"status --json: {done.stdout}{done.stderr}") from error


def fill(path, room):
    """Leaves `room` bytes."""
    free = os.statvfs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(b"\0" * max(0, free.f_bavail * free.f_frsize - room))


def noise(chance):
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(2000))


def scenario(machine, chance):
    filler = os.path.join(machine.state, "filler")
    machine.append("auth.log", 10)
    machine.must("run", "--once")
    fill(filler, ROOM_BYTES)
    # One reading, so that it does not fit in any number of small steps.
    machine.append("auth.log", 400, lambda: noise(chance))
    with running(machine):
        wait_for("a message that there is no space", lambda: "No space left" in machine.said())
    with running(machine) as process:
        wait_for("the message once more", lambda: machine.said().count("No space left") > 1)
        if process.poll() is not None:
            raise Wrong("ended because the disk is full")
        wait_for("status that says so", lambda: "No space left" in str(status(machine)))
        os.remove(filler)
        machine.append("auth.log", 5)
        total = sum(machine.account.lines)
        wait_for("recovery without help", lambda: len(machine.archived()) == total, 90)
    machine.judge()
    print(f"{sum(machine.account.lines)} lines through a full disk")


def test(arguments, directory):
    machine = Machine(arguments.enclave, os.path.join(directory, "machine"))
    os.makedirs(machine.state, mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", machine.state]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        print("skipped: a tmpfs cannot be mounted here (it takes root)")
        return SKIPPED
    try:
        scenario(machine, random.Random(arguments.seed))
    finally:
        subprocess.run(["umount", "-l", machine.state], check=False)
    return 0


main(test)
