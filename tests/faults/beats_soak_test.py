#!/usr/bin/env python3
"""Both ends of a beats connection are killed at random while files grow and rotate: every line is archived once.

Our own shipper (run --filebeat) follows the files and sends to our own beats input, which archives. At the end the log
verifies, and of each file the archive holds every line in order, and at most --repeats of 1,000 lines twice: after
kills of both sides a shipper may come back to where nobody can tell. --seconds 600 is the soak (make soak).
"""

import gzip
import json
import os
import random
import signal
import shutil
import socket
import subprocess
import threading
import time

from machine import ENVIRONMENT, Machine, Wrong, main, wait_for

RECEIVER = """\
enclave: soak
state: {root}/state
storage: {{endpoint: "file://{root}/store"}}
buckets:
  - {{name: logs, for: logs}}
keys: {{provider: file, identity: {root}/identity}}
archive: {{flush_after: 500ms}}
logging:
  inputs:
    - {{type: beats, port: {port}}}
"""

SHIPPER = """\
filebeat.inputs:
  - {{type: log, paths: ["{root}/logs/*.log*"], scan_frequency: 1s}}
path.data: {root}/shipper
output.logstash: {{hosts: ["127.0.0.1:{port}"], backoff.init: 100ms, backoff.max: 500ms}}
"""

NAMES = ["app.log", "busy.log", "slow.log"]
FIRST_LINES = 40  # of a file, in one write: fewer could be the same in the next one, for all that a receiver knows


class Pair(Machine):
    """A receiver, which is what Machine starts, and a shipper."""

    def __init__(self, arguments, root):
        super().__init__(arguments.enclave, root)
        self.generation = arguments.generation
        self.bytes_left = arguments.megabytes << 20
        self.rate = arguments.rate << 10
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(RECEIVER.format(root=root, port=port))
        self.shipping = self.path("filebeat.yml")
        with open(self.shipping, "w", encoding="utf-8") as file:
            file.write(SHIPPER.format(root=root, port=port))
        os.chmod(self.shipping, 0o600)
        self.kinds = {"rename": 0, "copytruncate": 0, "gzip": 0}

    def start_shipper(self):
        words = ["run", "--filebeat", self.shipping, "--compat", str(self.generation), "--dir", self.path("shipper")]
        with open(self.path("shipper.said"), "ab") as said:
            return subprocess.Popen([self.enclave, *words], stdout=said, stderr=said, env=ENVIRONMENT)

    def append(self, name, count, filler=str):
        if name not in self.open_texts:
            self.open_texts[name] = self.account.begin()
            count = max(count, FIRST_LINES)
        text = self.open_texts[name]
        data = "".join(self.account.line(text, filler) for _ in range(count)).encode()
        self.bytes_left -= len(data)
        # One write: a reader sees all of it or nothing.
        handle = os.open(os.path.join(self.logs, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, data)
        os.close(handle)
        return len(data)

    def turn(self, name, kind):
        """One rotation. What is rotated away stays for a while: nobody may need to be quick."""
        path = os.path.join(self.logs, name)
        if name not in self.open_texts:
            return
        self.rotations += 1
        self.kinds[kind] += 1
        rotated = f"{path}.{self.rotations}"
        if kind == "copytruncate":
            shutil.copyfile(path, rotated)
            os.truncate(path, 0)
        else:
            os.rename(path, rotated)
        if kind == "gzip":
            with open(rotated, "rb") as plain, gzip.open(rotated + ".gz", "wb", 1) as packed:
                shutil.copyfileobj(plain, packed)
            os.remove(rotated)
        del self.open_texts[name]

    def counts(self):
        """Lines by text, from the records; every text in order and without a gap."""
        following = [0] * len(self.account.lines)
        twice = 0
        for path in self.objects():
            for record in self.decrypt(path):
                raw = json.loads(record["raw"])
                text, number = (int(word) for word in raw["message"].split(" ")[:2])
                if number < following[text]:
                    twice += 1
                elif number > following[text]:
                    raise Wrong(f"text {text}: line {number} follows line {following[text] - 1}")
                else:
                    following[text] += 1
        for text, (want, have) in enumerate(zip(self.account.lines, following)):
            if want != have:
                raise Wrong(f"text {text}: {have} of {want} lines are in the archive")
        return sum(following), twice


def write(pair, stop, chance):
    """What daemons and logrotate do, as fast as they may."""
    began, written = time.monotonic(), 0
    filler = ["x" * chance.randint(20, 300) for _ in range(50)]
    while not stop.is_set() and pair.bytes_left > 0:
        name = chance.choice(NAMES)
        written += pair.append(name, chance.randint(1, 400), lambda: chance.choice(filler))
        if chance.random() < 0.01:
            pair.turn(name, chance.choice(list(pair.kinds)))
        ahead = written / pair.rate - (time.monotonic() - began)
        time.sleep(max(0.002, ahead))


class Life:
    """One of the two programs: killed, ended in order, and started again."""

    def __init__(self, start):
        self.start = start
        self.process = start()
        self.kills = self.ends = 0

    def end(self, kill):
        if self.process.poll() is not None:
            raise Wrong(f"ended by itself with exit status {self.process.returncode}")
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired as expired:
            self.process.kill()
            raise Wrong("does not stop when it is told to") from expired
        if kill:
            self.kills += 1
        else:
            self.ends += 1
            if status != 0:
                raise Wrong(f"stopped with exit status {status}")
        return self

    def again(self):
        self.process = self.start()


def disturb(arguments, receiver, shipper):
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        time.sleep(random.uniform(0.2, 2) * arguments.calm / 1000)
        lives = random.choice([[receiver], [shipper], [shipper], [receiver, shipper]])
        kill = random.random() < 0.8
        for life in lives:
            life.end(kill)
        if random.random() < 0.3:
            time.sleep(random.random())
        for life in lives:
            life.again()


def test(arguments, directory):
    pair = Pair(arguments, directory)
    pair.must("run", "--once")
    stop = threading.Event()
    writer = threading.Thread(target=write, args=(pair, stop, random.Random(arguments.seed)))
    writer.start()
    receiver, shipper = Life(pair.start), Life(pair.start_shipper)
    try:
        disturb(arguments, receiver, shipper)
        stop.set()
        writer.join()
        total = sum(pair.account.lines)
        status, quiet = {}, [0, time.monotonic()]

        def arrived():
            """All of it, or nothing more comes."""
            said = pair.run("status", "--json").stdout
            status.update(json.loads(said) if said.startswith("{") else {})
            if status.get("last_seq", 0) != quiet[0]:
                quiet[:] = [status["last_seq"], time.monotonic()]
            return time.monotonic() - quiet[1] > (5 if quiet[0] >= total else 40)

        wait_for("all lines arrive", arrived, 600)
        shipper.end(kill=False)
        receiver.end(kill=False)
    except BaseException:
        stop.set()
        for life in (receiver, shipper):
            if life.process.poll() is None:
                life.process.kill()
        writer.join()
        raise
    pair.must("verify")
    lines, twice = pair.counts()
    kills = (f"{receiver.kills} kills and {receiver.ends} ends of the receiver, "
             f"{shipper.kills} and {shipper.ends} of the shipper")
    told = {name: count for name, count in status.get("counters", {}).items() if name.startswith("events_")}
    print(f"generation {arguments.generation}: {lines} lines, {twice} too often; {kills}; rotations {pair.kinds}; "
          f"since the receiver's last start {told}")
    if twice * 1000 > lines * arguments.repeats:
        raise Wrong(f"{twice} of {lines} lines are in the archive more than once")


main(test, seconds=25, generation=8, megabytes=3000, rate=20_000, calm=3000, repeats=10)
