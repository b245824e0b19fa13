"""One machine for the fault tests: log files, a configuration, the real binary, and the account of what was written."""

import argparse
import concurrent.futures
import contextlib
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77  # what CTest takes for "skipped"
RUN_SECONDS = 120  # longer is a hang

# A sanitizer's report must not look like an ordinary failure.
SANITIZER_STATUS = 86
ENVIRONMENT = dict(
    os.environ,
    ASAN_OPTIONS=f"exitcode={SANITIZER_STATUS}:detect_leaks=0:abort_on_error=0",
    UBSAN_OPTIONS=f"exitcode={SANITIZER_STATUS}:print_stacktrace=1",
)

CONFIG = """\
enclave: faults
state: {root}/state
storage: {{endpoint: "file://{root}/store"}}
buckets:
  - {{name: logs, for: logs}}
keys: {{provider: file, identity: {root}/identity}}
archive: {{flush_after: {flush_after}}}
spool: {{segment_bytes: 64KiB}}
logging:
  inputs:
    - {{type: file, paths: ["{root}/logs/**"]}}
"""


class Wrong(Exception):
    """The program did what it must not do."""


class Account:
    """Numbered lines in numbered texts; a text is one file from its first line to its last."""

    def __init__(self):
        self.lines = []  # of each text, how many

    def begin(self):
        self.lines.append(0)
        return len(self.lines) - 1

    def line(self, text, filler):
        number = self.lines[text]
        self.lines[text] += 1
        return f"{text} {number} {filler()}\n"

    def check(self, records):
        """Every line once, and in order; record numbers without a gap."""
        following = [0] * len(self.lines)
        for place, record in enumerate(records):
            if record["seq"] != place + 1:
                raise Wrong(f"record {record['seq']} stands where {place + 1} must be")
            text, number = (int(word) for word in record["raw"].split(" ")[:2])
            if number != following[text]:
                raise Wrong(f"record {record['seq']}: line {number} of text {text} follows line {following[text] - 1}")
            following[text] = number + 1
        for text, (want, have) in enumerate(zip(self.lines, following)):
            if want != have:
                raise Wrong(f"text {text}: {have} of {want} lines are in the archive")


class Machine:
    def __init__(self, enclave, root, flush_after="200ms"):
        self.enclave = enclave
        self.root = root
        self.logs = os.path.join(root, "logs")
        self.store = os.path.join(root, "store")
        self.state = os.path.join(root, "state")
        self.config = os.path.join(root, "enclave.yaml")
        self.account = Account()
        self.rotations = 0
        self.open_texts = {}
        os.makedirs(self.logs)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(root=root, flush_after=flush_after))

    # The daemons that write.

    def append(self, name, count, filler=str):
        """`filler` gives the rest of each line."""
        if name not in self.open_texts:
            self.open_texts[name] = self.account.begin()
        text = self.open_texts[name]
        with open(os.path.join(self.logs, name), "a", encoding="utf-8") as file:
            file.write("".join(self.account.line(text, filler) for _ in range(count)))

    def rotate(self, name, compress):
        """Renames the file, perhaps packs it; it is never removed, so nothing may be missing."""
        path = os.path.join(self.logs, name)
        if name not in self.open_texts:
            return
        self.rotations += 1
        rotated = f"{path}.{self.rotations}"
        os.rename(path, rotated)
        del self.open_texts[name]
        if compress:
            # As gzip(1) does it: the packed file grows beside the plain one, which goes at the end.
            with open(rotated, "rb") as plain, gzip.open(rotated + ".gz", "wb") as packed:
                shutil.copyfileobj(plain, packed)
            os.remove(rotated)

    # The program.

    def command(self, *words):
        return [self.enclave, *words, "-c", self.config]

    def start(self):
        with open(self.path("said"), "ab") as said:
            return subprocess.Popen(self.command("run"), stdout=said, stderr=said, env=ENVIRONMENT)

    def said(self):
        """All that started programs wrote."""
        with open(self.path("said"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def path(self, name):
        return os.path.join(self.root, name)

    def run(self, *words, prefix=()):
        """Ends by itself, in time, and neither by a signal nor by a sanitizer."""
        command = [*prefix, *self.command(*words)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=RUN_SECONDS,
                env=ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise Wrong(f"{' '.join(command)}: hangs\n{expired.stderr}") from expired
        crashed = done.returncode < 0 or done.returncode >= 128 or done.returncode == SANITIZER_STATUS
        if crashed or "runtime error:" in done.stderr:
            raise Wrong(f"{' '.join(command)}: crashed with {done.returncode}\n{done.stderr}")
        return done

    def must(self, *words):
        done = self.run(*words)
        if done.returncode != 0:
            raise Wrong(f"{' '.join(words)}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    # The judge.

    def objects(self):
        found = []
        for directory, _, names in os.walk(os.path.join(self.store, "logs", "v1")):
            found += [os.path.join(directory, name) for name in names if name.endswith(".age")]
        return sorted(found)

    def decrypt(self, path):
        """With public tools only."""
        age = subprocess.run(["age", "-d", "-i", self.path("identity"), path], capture_output=True, check=True)
        zstd = subprocess.run(["zstd", "-dc"], input=age.stdout, capture_output=True, check=True)
        return [json.loads(line) for line in zstd.stdout.splitlines()]

    def archived(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return [record for part in pool.map(self.decrypt, self.objects()) for record in part]

    def judge(self):
        """A clean run, then everything must be there and proven."""
        self.must("run", "--once")
        self.must("verify")
        self.account.check(self.archived())


def wait_for(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Wrong(f"waited {seconds} s for nothing: {what}")
        time.sleep(0.05)


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(RUN_SECONDS)
    except subprocess.TimeoutExpired as expired:
        process.kill()
        raise Wrong("does not stop when it is told to") from expired
    if status != 0:
        raise Wrong(f"stopped with exit status {status}")


@contextlib.contextmanager
def running(machine):
    """A process that is stopped in order at the end, or killed when something was wrong."""
    process = machine.start()
    try:
        yield process
    except BaseException:
        process.kill()
        process.wait()
        raise
    stop(process)


def main(test, **numbers):
    """Runs test(arguments, directory) in a new directory, which stays when it fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--enclave", required=True, help="the binary")
    parser.add_argument("--seed", type=int, default=1)
    for name, fallback in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=fallback)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    directory = tempfile.mkdtemp(prefix="enclave-faults-")
    try:
        status = test(arguments, directory)
    except Wrong as wrong:
        print(f"WRONG (seed {arguments.seed}, kept in {directory}): {wrong}")
        sys.exit(1)
    shutil.rmtree(directory, ignore_errors=True)
    sys.exit(status or 0)
