#!/usr/bin/env python3
"""shipper_test.py ENCLAVE: run --filebeat sends to a receiver that is not ours, and only to whom it trusts."""
import collections
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from certificates import Certificates  # noqa: E402
from lumberjack_server import Receiver, server_context  # noqa: E402

ENCLAVE = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE = 90


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"it never came to this: {what}")
        time.sleep(0.05)


class Shipper:
    def __init__(self, port, tls=""):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="enclave-shipper-"))
        (self.home / "logs").mkdir()
        self.config = self.home / "filebeat.yml"
        self.config.write_text(f"""\
filebeat.inputs: [{{type: log, paths: ["{self.home}/logs/*.log"], scan_frequency: 1s}}]
path.data: {self.home}/data
output.logstash: {{hosts: ["localhost:{port}"], bulk_max_size: 50, backoff.init: 50ms, backoff.max: 200ms{tls}}}
""")
        self.config.chmod(0o600)
        self.process = None

    def append(self, first, count):
        with open(self.home / "logs" / "a.log", "a", encoding="utf-8") as file:
            file.write("".join(f"line {i}\n" for i in range(first, first + count)))

    def start(self):
        with open(self.home / "said", "ab") as said:
            self.process = subprocess.Popen(
                [ENCLAVE, "run", "--filebeat", self.config, "--compat", "8", "--dir", self.home / "data"], stdout=said,
                stderr=said)

    def said(self):
        return (self.home / "said").read_text(errors="replace")

    def end(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)

    def close(self):
        self.end(signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)


class ShipperTest(unittest.TestCase):
    def pair(self, behave=lambda number, events: len(events), context=None, tls=""):
        receiver = Receiver(context, behave)
        self.addCleanup(receiver.close)
        shipper = Shipper(receiver.port, tls)
        self.addCleanup(shipper.close)
        return receiver, shipper

    def test_every_line_comes_once_and_in_order(self):
        receiver, shipper = self.pair()
        shipper.append(0, 1000)
        shipper.start()
        until(lambda: len(receiver.acknowledged) >= 1000, f"all lines; {shipper.said()}")
        self.assertEqual(receiver.messages(receiver.received), [f"line {i}" for i in range(1000)])

    def test_what_was_acknowledged_in_part_is_not_sent_again(self):
        def behave(number, events):
            return len(events) // 2 if number % 3 == 1 else 0 if number % 7 == 0 else len(events)

        receiver, shipper = self.pair(behave)
        shipper.append(0, 2000)
        shipper.start()
        until(lambda: len(set(receiver.messages(receiver.acknowledged))) == 2000, f"all lines; {shipper.said()}")
        counts = collections.Counter(receiver.messages(receiver.acknowledged))
        self.assertEqual([text for text, count in counts.items() if count > 1], [])

    def test_a_restart_sends_what_was_not_acknowledged(self):
        receiver, shipper = self.pair(lambda number, events: len(events) if number < 5 else 0)
        shipper.append(0, 1000)
        shipper.start()
        until(lambda: receiver.windows > 5, "windows without an answer")
        shipper.end(signal.SIGKILL)
        receiver.behave = lambda number, events: len(events)
        shipper.append(1000, 500)
        shipper.start()
        until(lambda: len(set(receiver.messages(receiver.acknowledged))) >= 1500, f"all lines; {shipper.said()}")
        self.assertEqual(set(receiver.messages(receiver.acknowledged)), {f"line {i}" for i in range(1500)})


class TlsTest(ShipperTest):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="enclave-shipper-tls-")
        cls.made = Certificates(cls.place)
        cls.made.issue("good")
        cls.made.issue("client")
        cls.made.issue("elsewhere", host="elsewhere.example")
        cls.made.issue_bad_ones()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.place)

    # Those of the base class run there.
    test_every_line_comes_once_and_in_order = None
    test_what_was_acknowledged_in_part_is_not_sent_again = None
    test_a_restart_sends_what_was_not_acknowledged = None

    def context(self, name, client=False):
        return server_context(self.made.at(f"{name}.pem"), self.made.at(f"{name}.key"),
                              self.made.at("ca.pem") if client else None)

    def tls(self, client=None):
        out = f', ssl.certificate_authorities: ["{self.made.at("ca.pem")}"]'
        if client is not None:
            out += f', ssl.certificate: "{self.made.at(client + ".pem")}", ssl.key: "{self.made.at(client + ".key")}"'
        return out

    def test_a_receiver_that_cannot_prove_who_it_is_gets_nothing(self):
        for name in ("expired", "early", "stranger", "elsewhere"):
            with self.subTest(name):
                receiver, shipper = self.pair(context=self.context(name), tls=self.tls())
                shipper.append(0, 10)
                shipper.start()
                until(lambda: receiver.refusals and "localhost" in shipper.said(), "it says so")
                self.assertEqual(receiver.received, [])
                # As soon as it can, all comes.
                receiver.context = self.context("good")
                until(lambda: len(receiver.acknowledged) == 10, f"the lines; {shipper.said()}")


if __name__ == "__main__":
    if not os.path.exists(ENCLAVE):
        sys.exit("which program?")
    unittest.main(verbosity=2)
