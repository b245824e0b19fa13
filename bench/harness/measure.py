"""Runs the programs and counts what they use."""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

GIB = 1 << 30


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(of):
    return statistics.median(list(of))


class Run:
    """One finished program: its CPU seconds, its peak memory and what it printed."""

    def __init__(self, command, good=(0,)):
        began = time.monotonic()
        with open(os.devnull, "rb") as nothing:
            process = subprocess.Popen([str(word) for word in command], stdin=nothing, stdout=subprocess.PIPE)
            self.text = process.stdout.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
        self.status = process.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - began
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024
        if self.status not in good:
            sys.exit(f"bench: {' '.join(map(str, command))}: exit status {self.status}\n{self.text}")


class Bench:
    def __init__(self, build, base, work, wanted):
        self.build, self.base, self.work, self.wanted = build, base, work, wanted
        self.enclave = build / "enclave"

    # Corpora are kept: the same arguments give the same bytes.
    def corpus(self, name, mib, *more):
        path = self.base / f"{name}-{mib}-{self.wanted.seed}{'-' + more[-1] if len(more) > 1 else ''}"
        if not path.exists():
            say(f"making {path.name}")
            new = path.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            words = [word for word in more if word.startswith("--")]
            count = [word for word in more if not word.startswith("--")]
            Run([self.build / "bench/bench_corpus", *words, mib << 20, self.wanted.seed, new, *count])
            new.rename(path)
        return path

    def config(self, name, paths):
        """A fresh state directory and store, and the configuration that uses them."""
        place = self.work / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        file = place / "enclave.yaml"
        file.write_text(f"enclave: bench\nstate: {place}/state\nstorage: {{endpoint: \"file://{place}/store\"}}\n"
                        f"logging:\n  inputs:\n    - {{type: file, paths: [\"{paths}\"]}}\n", encoding="utf-8")
        return place, file

    def seal(self, name, paths):
        place, file = self.config(name, paths)
        return place, Run([self.enclave, "run", "-c", file, "--once"])

    def one_file(self):
        path = self.corpus("corpus", self.wanted.mib)
        limits, runs = [], []
        for number in range(self.wanted.repeat):
            say(f"limits and one file of {self.wanted.mib} MiB, run {number + 1} of {self.wanted.repeat}")
            limits.append(json.loads(Run([self.build / "bench/bench_limits", path]).text))
            _, run = self.seal("one", path)
            runs.append(run)
        bytes_, lines = limits[0]["bytes"], limits[0]["lines"]
        self.check_complete("one", lines)
        parts = {part: median(limit[part] for limit in limits) * GIB / bytes_
                 for part in ("read", "scan", "zstd", "sha256", "chacha20")}
        stored = sum(file.stat().st_size for file in (self.work / "one/store").rglob("*") if file.is_file())
        return {"bytes": bytes_, "lines": lines, "compressed": limits[0]["compressed"], "stored": stored,
                "limits": parts,
                "limit": sum(parts.values()), "cpu": median(run.cpu for run in runs) * GIB / bytes_,
                "wall": median(run.wall for run in runs) * GIB / bytes_,
                "all_cpu": [run.cpu * GIB / bytes_ for run in runs],
                "peak_mib": max(run.peak_mib for run in runs)}

    def check_complete(self, name, lines):
        """A fast program that leaves lines out would be no use: as many records as there are lines."""
        run = Run([self.enclave, "verify", "-c", self.work / name / "enclave.yaml", "--json"])
        found = sum(int(number) for number in re.findall(r'"records":\s*(\d+)', run.text)[:1])
        if found != lines:
            sys.exit(f"bench: {found} records were sealed of {lines} lines")

    def many_files(self):
        mib = max(1, min(256, self.wanted.mib // 4))
        path = self.corpus("files", mib, str(self.wanted.files))
        runs = []
        for number in range(self.wanted.repeat):
            say(f"{self.wanted.files} files of {mib} MiB together, run {number + 1} of {self.wanted.repeat}")
            _, run = self.seal("many", f"{path}/*/*.log")
            runs.append(run)
        return {"files": self.wanted.files, "mib": mib, "cpu": median(run.cpu for run in runs) * 1024 / mib,
                "wall": median(run.wall for run in runs), "peak_mib": max(run.peak_mib for run in runs)}

    def idle(self):
        mib = max(1, min(256, self.wanted.mib // 4))
        path = self.corpus("files", mib, str(self.wanted.files))
        _, file = self.config("idle", f"{path}/*/*.log")
        say(f"idle with {self.wanted.files} quiet files for {self.wanted.idle} s")
        with open(os.devnull, "rb") as nothing, open(self.work / "idle/out", "wb") as out:
            command = [str(self.enclave), "run", "-c", str(file)]
            process = subprocess.Popen(command, stdin=nothing, stdout=out, stderr=out)
        try:
            self.wait_until_quiet(process)
            began, before = time.monotonic(), cpu_of(process.pid)
            time.sleep(self.wanted.idle)
            used, wall = cpu_of(process.pid) - before, time.monotonic() - began
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            return {"files": self.wanted.files, "percent": 100 * used / wall, "seconds": wall,
                    "peak_mib": int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024}
        finally:
            process.terminate()
            process.wait(60)

    def wait_until_quiet(self, process):
        """What was in the files at first has been read, sealed and sent: ten seconds with next to no work."""
        last, quiet = cpu_of(process.pid), 0
        for _ in range(600):
            time.sleep(1)
            if process.poll() is not None:
                sys.exit(f"bench: enclave run ended: {(self.work / 'idle/out').read_text(encoding='utf-8')}")
            now = cpu_of(process.pid)
            quiet = quiet + 1 if now - last <= 0.05 else 0
            last = now
            if quiet == 40:  # longer than a batch stays open
                return
        say("it did not become quiet within ten minutes; measured all the same")

    def verify(self):
        """The ciphertext of the sealed corpus, and of lines that do not compress, so that there is enough of it."""
        threads = os.cpu_count()
        figures = []
        noise = self.corpus("noise", self.wanted.mib, "--noise")
        say("sealing lines that do not compress")
        place, _ = self.seal("noise", noise)
        shutil.rmtree(place / "state/outbox", ignore_errors=True)
        for what, name in (("the corpus", "one"), ("lines that hardly compress", "noise")):
            store = self.work / name / "store"
            root = next(iter(store.rglob("v1"))).parent
            say(f"verify: {what}")
            checks, hashes = [], []
            anchor = next((self.work / name / "state").rglob("anchor")).read_text(encoding="utf-8").strip()
            for _ in range(max(3, self.wanted.repeat)):
                hashes.append(json.loads(Run([self.build / "bench/bench_limits", "--sha256", threads, root]).text))
                checks.append(Run([self.build / "enclave-verify", root, "--key", anchor, "--no-seen"]))
            bytes_ = hashes[0]["bytes"]
            figures.append({"what": what, "bytes": bytes_, "threads": threads,
                            "sha_wall": median(h["wall"] for h in hashes), "sha_cpu": median(h["cpu"] for h in hashes),
                            "wall": median(c.wall for c in checks), "cpu": median(c.cpu for c in checks),
                            "peak_mib": max(c.peak_mib for c in checks)})
        return figures


def cpu_of(pid):
    """CPU seconds of a process and its finished threads, to the kernel's hundredth."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
