#!/usr/bin/env python3
"""Runs transcripts of the command line and compares what is printed, errors included, and the exit status.

  # a comment                  stands alone on its line
  $ enclave version            a command, run by sh in the session's own empty directory
  > more                       goes on with the command on a new line
  enclave <any>                what it prints; <any> a part of a line, <time> a time, <hash> hex digits,
  ...                          <n> a number; "..." any number of lines
  ? 3                          its exit status; 0 when it is not given
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WILD = {
    "<any>": r".*",
    "<n>": r"[0-9]+",
    "<hash>": r"[0-9a-f]+",
    "<time>": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z",
}
TIMEOUT_S = 120


class Step:
    def __init__(self, line, command):
        self.line, self.command, self.expected, self.status = line, command, [], 0


def parse(text):
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            steps.append(Step(number, line[2:]))
        elif not steps:
            if line and not line.startswith("#"):
                raise ValueError(f"line {number}: no command yet")
        elif line.startswith("> ") and not steps[-1].expected:
            steps[-1].command += "\n" + line[2:]
        elif line.startswith("? "):
            steps[-1].status = int(line[2:])
        elif not line.startswith("# "):
            steps[-1].expected.append(line)
    for step in steps:
        while step.expected and not step.expected[-1]:
            step.expected.pop()
    return steps


def pattern_of(line):
    parts = re.split("(" + "|".join(map(re.escape, WILD)) + ")", line)
    return re.compile("".join(WILD.get(part) or re.escape(part) for part in parts))


def matches(expected, actual):
    """Whether the lines fit; "..." takes as few lines as it can."""
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(matches(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    return bool(actual) and bool(pattern_of(expected[0]).fullmatch(actual[0])) and matches(expected[1:], actual[1:])


def environment(programs, home):
    kept = {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
    return {**kept, "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home,
            "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def run(path, programs):
    """The failures of one session, as texts."""
    failures = []
    home = tempfile.mkdtemp(prefix="session-")
    try:
        for step in parse(pathlib.Path(path).read_text(encoding="utf-8")):
            done = subprocess.run(["sh", "-c", step.command], cwd=home, env=environment(programs, home), check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=TIMEOUT_S)
            actual = done.stdout.decode("utf-8", "replace").replace(home, "$HOME").splitlines()
            while actual and not actual[-1]:
                actual.pop()
            if done.returncode == step.status and matches(step.expected, actual):
                continue
            text = [f"{path}:{step.line}: $ {step.command}"]
            text += [f"  expected: {line}" for line in step.expected] + [f"  expected status: {step.status}"]
            text += [f"  actual:   {line}" for line in actual] + [f"  actual status: {done.returncode}"]
            failures.append("\n".join(text))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, help="the directory with enclave and enclave-verify")
    parser.add_argument("sessions", nargs="+")
    arguments = parser.parse_args()
    failures = [text for path in arguments.sessions for text in run(path, os.path.abspath(arguments.programs))]
    print("\n".join(failures) if failures else f"{len(arguments.sessions)} sessions are as written")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
