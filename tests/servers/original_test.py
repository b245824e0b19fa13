#!/usr/bin/env python3
"""original_test.py ENCLAVE CHECKOUT: the two files of the original chain run unchanged, together in one program.

They name port 5044 and folders of /var/log, so the program runs in namespaces of its own: its own network with only a
loopback, and its own /var/log in memory. Where namespaces cannot be made, the test is skipped and says so.
"""
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ENCLAVE, CHECKOUT = (sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))) if len(sys.argv) > 2 else (None, None)
PATIENCE = 60
PREPARE = """
set -e
mount -t tmpfs none /var/log
mkdir /var/log/httpd
ip link set lo up
exec "$@"
"""


def in_namespaces(*command):
    return ["unshare", "--mount", "--net", "--kill-child", "sh", "-c", PREPARE, "sh", *map(str, command)]


class Chain:
    """Shipper and collector. Files of its /var/log are reached through its root as the kernel shows it."""

    def __init__(self, place):
        self.place = place
        self.said = open(place / "said", "ab")
        self.process = subprocess.Popen(
            in_namespaces(ENCLAVE, "run", "--dir", place / "dir",
                          "--filebeat", CHECKOUT / "examples/original/filebeat.yml",
                          "--logstash", CHECKOUT / "examples/original/logstash.conf"),
            stdin=subprocess.DEVNULL, stdout=self.said, stderr=subprocess.STDOUT)
        self.pid = self.wait(self.find_program, "enclave to start")
        self.logs = pathlib.Path(f"/proc/{self.pid}/root/var/log")

    def text(self):
        return (self.place / "said").read_text(encoding="utf-8")

    def find_program(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if command[0] == os.fsencode(ENCLAVE) and os.fsencode(self.place / "dir") in command:
                return pid
        return None

    def wait(self, condition, what):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode} instead of {what}: {self.text()}")
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"no {what} within {PATIENCE} s: {self.text()}")

    def events(self):
        """What stands in the file of each day, by its name."""
        found = {}
        for file in sorted((self.logs / "logstash").glob("*.log")):
            found[file.name] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return found

    def all_events(self):
        return [event for events in self.events().values() for event in events]

    def stop(self):
        os.kill(int(self.pid), signal.SIGTERM)
        self.process.wait(PATIENCE)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            os.kill(int(self.pid), signal.SIGKILL)
            self.process.wait(PATIENCE)
        self.said.close()


class OriginalChain(unittest.TestCase):
    def setUp(self):
        tried = subprocess.run(in_namespaces("true"), capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            self.skipTest(f"no namespaces here: {tried.stderr.strip()}")
        folder = tempfile.TemporaryDirectory(prefix="enclave-original-")
        self.addCleanup(folder.cleanup)
        self.chain = Chain(pathlib.Path(folder.name))
        self.addCleanup(self.chain.close)

    def test_lines_of_the_web_server_reach_the_file_of_the_day_once_each(self):
        chain = self.chain
        log = chain.logs / "httpd/access.log"
        log.write_text("one\ntwo\n", encoding="utf-8")
        chain.wait(lambda: len(chain.all_events()) == 2, "two events")
        # As logrotate does it.
        log.rename(chain.logs / "httpd/access.log.1")
        log.write_text("three\n", encoding="utf-8")
        chain.wait(lambda: len(chain.all_events()) == 3, "a third event")
        today = datetime.datetime.now(datetime.timezone.utc)
        days = {f"{day:%Y-%m-%d}.log" for day in (today, today - datetime.timedelta(days=1))}
        self.assertLessEqual(chain.events().keys(), days)
        events = chain.all_events()
        self.assertEqual([event["message"] for event in events], ["one", "two", "three"])
        self.assertEqual({event["source"] for event in events}, {"/var/log/httpd/access.log"})
        self.assertEqual({event["type"] for event in events}, {"httpd"})
        self.assertEqual([event["offset"] for event in events], [0, 4, 0])
        self.assertTrue(all(event["beat"]["hostname"] for event in events))
        # The condition compares with the text of the pattern, here as there.
        self.assertTrue(all("service" not in event for event in events))
        # Its own log, where filebeat.yml wants it.
        self.assertIn("begins with this configuration", (chain.logs / "filebeat/filebeat").read_text(encoding="utf-8"))
        self.assertEqual(chain.stop(), 0, chain.text())

    def test_what_has_no_effect_is_said_at_the_start(self):
        (self.chain.logs / "httpd/error.log").write_text("one\n", encoding="utf-8")
        self.chain.wait(self.chain.all_events, "an event")
        self.assertRegex(self.chain.text(), r"registry_file has no effect inside an input")
        self.assertEqual(self.chain.stop(), 0, self.chain.text())


def check(*arguments):
    done = subprocess.run([ENCLAVE, "check", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


class OriginalFilesChecked(unittest.TestCase):
    def test_check_names_the_glob_that_is_compared_as_text(self):
        said = check("--logstash", CHECKOUT / "examples/original/logstash.conf")
        self.assertRegex(" ".join(said.split()), r'logstash\.conf:\d+:\d+: .*"/var/log/httpd/\*\.log".*=~')

    def test_the_s3_output_uncommented_is_told_what_is_wrong_with_it(self):
        text = (CHECKOUT / "examples/original/logstash.conf").read_text(encoding="utf-8")
        output = re.sub(r"(?m)^# (.*)$", r"  \1", text.split("output {", 1)[1])
        self.assertIn("  s3 {", output)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "s3.conf"
            file.write_text("input { generator { count => 1 } }\noutput {" + output, encoding="utf-8")
            environment = dict(os.environ, S3_ACCESS_KEY_ID="k", S3_SECRET_ACCESS_KEY="s")
            said = subprocess.run([ENCLAVE, "check", "--logstash", file], capture_output=True, text=True, check=False,
                                  env=environment)
        told = " ".join((said.stdout + said.stderr).split())
        for mend in ("port 443 speaks TLS", "no region is set", "force_path_style => true"):
            self.assertIn(mend, told)


if __name__ == "__main__":
    if not ENCLAVE:
        sys.exit(__doc__)
    unittest.main(verbosity=2)
