#!/usr/bin/env python3
"""kill -9 at random moments while files grow and rotate: every line is in the archive once, and the log verifies."""

import random
import signal
import threading
import time

from machine import Machine, Wrong, main

NAMES = ["auth.log", "nova-api.log", "syslog"]


def write(machine, stop, chance):
    """What daemons and logrotate do, until told to stop."""
    while not stop.is_set():
        name = chance.choice(NAMES)
        machine.append(name, chance.randint(1, 20), lambda: "x" * chance.randint(0, 200))
        if chance.random() < 0.02:
            machine.rotate(name, compress=chance.random() < 0.4)
        time.sleep(chance.random() * 0.02)


def test(arguments, directory):
    machine = Machine(arguments.enclave, directory)
    # A slow machine or a build with sanitizers must get as far, before it is killed, as a fast one.
    began = time.monotonic()
    machine.must("run", "--once")
    life = min(2, 1.5 * (time.monotonic() - began) + 0.3)
    stop = threading.Event()
    writer = threading.Thread(target=write, args=(machine, stop, random.Random(arguments.seed)))
    writer.start()
    early = 0
    try:
        for _ in range(arguments.kills):
            process = machine.start()
            time.sleep(random.random() * life)
            early += process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.wait()
    finally:
        stop.set()
        writer.join()
    if early > 0:
        raise Wrong(f"ended by itself {early} times:\n{machine.said()[-4000:]}")
    machine.judge()
    lines = sum(machine.account.lines)
    print(f"{arguments.kills} kills, {lines} lines, {machine.rotations} rotations, {len(machine.objects())} objects")


main(test, kills=110)
