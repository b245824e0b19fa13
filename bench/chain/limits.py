"""What the machine takes for the bytes alone: plain programs over the same bytes, in the same run."""
import json
import shutil
import subprocess

from .process import Running

GIB = 1 << 30


class Limits:
    """Each in CPU seconds per GiB of corpus, and what it is."""

    def __init__(self, build, work, corpus):
        self.build, self.work, self.corpus = build, work, corpus
        self.event_bytes = None  # of one run of the row `json`: what is written, sent and compressed
        self.sample = work / "limit.json"
        self.parts = {}

    def per_gib(self, cpu):
        return cpu * GIB / self.corpus.bytes

    def run(self, *command, stdout=None):
        place = self.work / "limit"
        if stdout is not None:
            command = ("sh", "-c", f'"$@" > {stdout}', "sh", *command)
        return self.per_gib(Running(command, place).finish().cpu)

    def keep(self, json_file):
        """The output of the JSON row, for the limits that work on it."""
        if not self.sample.exists():
            shutil.copyfile(json_file, self.sample)

    def read(self):
        return self._once("read", lambda: self.run("dd", f"if={self.corpus.path}", "of=/dev/null", "bs=1M",
                                                   "status=none")), "dd to /dev/null"

    def copy(self):
        copied = self.work / "limit.copy"
        cpu = self._once("copy", lambda: self.run("dd", f"if={self.sample}", f"of={copied}", "bs=1M", "status=none"))
        copied.unlink(missing_ok=True)
        return self.read()[0] + cpu, "dd of corpus and of the same JSON to a file"

    def grok(self):
        # The issue of matching is PCRE2's own rate with this pattern and captures: 1.1 GB/s on this kind of machine.
        return self.copy()[0] + GIB / 1.1e9, "the same and PCRE2-JIT alone at 1.1 GB/s (quoted)"

    def gzip3(self):
        return self.gzip(3)

    def gzip6(self):
        return self.gzip(6)

    def gzip(self, level):
        cpu = self._once(f"gzip{level}", lambda: self.run("gzip", f"-{level}", "-c", self.sample, stdout="/dev/null"))
        return cpu, f"gzip -{level} of the same JSON"

    def zstd(self):
        cpu = self._once("zstd", lambda: self.run("zstd", "-q", "-1", "-T1", "-c", self.sample, stdout="/dev/null"))
        return cpu, "zstd -1 of the same JSON"

    def sealed(self):
        def measure():
            said = subprocess.run([self.build / "bench/bench_limits", self.corpus.path], capture_output=True, text=True,
                                  check=True).stdout
            parts = json.loads(said)
            return self.per_gib(sum(parts[name] for name in ("read", "scan", "zstd", "sha256", "chacha20")))
        return self._once("sealed", measure), "read, scan, zstd, SHA-256, ChaCha20 of the lines"

    def _once(self, name, measure):
        if name not in self.parts:
            self.parts[name] = measure()
        return self.parts[name]
