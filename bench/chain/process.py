"""Runs a program and counts what it uses: CPU seconds of it and its children, wall, peak memory."""
import os
import pathlib
import re
import signal
import subprocess
import time
from typing import NamedTuple

_TICK = 1 / os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A run whose figures do not count, and why."""


class Figures(NamedTuple):
    wall: float
    cpu: float
    peak_mib: float


class Running:
    """A program that runs; what it prints goes to files in `place`."""

    def __init__(self, command, place, environment=None, stdin=subprocess.DEVNULL):
        self.command = [str(word) for word in command]
        place.mkdir(parents=True, exist_ok=True)
        self.out, self.err = place / "stdout", place / "stderr"
        self.peak_mib = 0.0
        self.began = time.monotonic()
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(self.command, stdin=stdin, stdout=out, stderr=err, env=environment)
        self.ended = None
        self.usage = None

    def alive(self):
        if self.usage is not None:
            return False
        self._look()
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if pid == 0:
            return True
        self._over(status, usage)
        return False

    # The peak as the kernel has it for this program, not for what it was before exec.
    def _look(self):
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return
        peak = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
        if peak:
            self.peak_mib = max(self.peak_mib, int(peak.group(1)) / 1024)

    def _over(self, status, usage):
        self.ended = time.monotonic()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.usage = usage

    def cpu(self):
        """So far, in the kernel's hundredths."""
        try:
            text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * _TICK

    def bytes_read(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/io").read_text(encoding="utf-8")
        return int(re.search(r"^rchar: (\d+)", text, re.MULTILINE).group(1))

    def said(self):
        return self.err.read_text(encoding="utf-8", errors="replace")[-1500:]

    def finish(self, seconds=900):
        """Until it ends by itself; Figures."""
        until = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > until:
                self.kill()
                raise Failure(f"{self.command[0]} did not end within {seconds} s")
            time.sleep(0.01)
        if self.process.returncode != 0:
            raise Failure(f"{' '.join(self.command)}: exit status {self.process.returncode}: {self.said()}")
        return self.figures(self.ended)

    def finish_when_quiet(self, seconds=900, quiet=0.7):
        """Until it uses no more CPU, for programs that follow their files for ever; then it is told to stop."""
        until, last, last_at = time.monotonic() + seconds, self.cpu(), time.monotonic()
        while time.monotonic() - last_at < quiet or last < _TICK:
            if not self.alive():
                raise Failure(f"{' '.join(self.command)} ended: {self.said()}")
            if time.monotonic() > until:
                self.kill()
                raise Failure(f"{self.command[0]} did not become quiet within {seconds} s")
            time.sleep(0.02)
            now = self.cpu()
            if now - last > _TICK:  # a tick now and then is no work
                last, last_at = now, time.monotonic()
        self.bytes_in = self.bytes_read()
        self.stop()
        return self.figures(last_at)

    def figures(self, ended):
        return Figures(ended - self.began, self.usage.ru_utime + self.usage.ru_stime,
                       self.peak_mib or self.usage.ru_maxrss / 1024)

    def stop(self, seconds=60):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > until:
                self.kill()
                raise Failure(f"{self.command[0]} did not stop")
            time.sleep(0.01)

    def kill(self):
        if self.usage is None:
            self.process.kill()
            _, status, usage = os.wait4(self.process.pid, 0)
            self._over(status, usage)
