#!/usr/bin/env python3
"""The object store is away for longer than a batch lasts: reading goes on, and all is sent when it is back."""

import os
import random
import time

from machine import Machine, Wrong, main, running, wait_for


def test(arguments, directory):
    chance = random.Random(arguments.seed)
    machine = Machine(arguments.enclave, os.path.join(directory, "machine"))
    machine.append("auth.log", 10)
    machine.must("run", "--once")
    before = len(machine.archived())
    with running(machine) as process:
        # A plain file where the directory was: every call on it fails, whoever calls.
        os.rename(machine.store, machine.store + ".away")
        with open(machine.store, "wb"):
            pass
        end = time.monotonic() + 5  # 25 times flush_after
        while time.monotonic() < end:
            machine.append("auth.log", chance.randint(1, 20))
            time.sleep(0.1)
        if process.poll() is not None:
            raise Wrong("ended because the store is away")
        os.remove(machine.store)
        os.rename(machine.store + ".away", machine.store)
        if len(machine.archived()) != before:
            raise Wrong("something was written to a store that was away")
        machine.append("auth.log", 5)
        total = sum(machine.account.lines)
        wait_for("everything in the store that is back", lambda: len(machine.archived()) == total, 90)
    machine.judge()
    print(f"{sum(machine.account.lines)} lines, {len(machine.objects())} objects")
    return 0


main(test)
