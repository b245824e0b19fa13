#!/usr/bin/env python3
"""beats_test.py ENCLAVE: Beats send to a running enclave; what was acknowledged is in the archive."""
import collections
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from certificates import Certificates  # noqa: E402
from lumberjack_client import Client, event, number, packed, pairs, tls, window  # noqa: E402

ENCLAVE = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE = 60


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"it never came to this: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One enclave with a beats input, in a directory of its own."""

    def __init__(self, **options):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="enclave-beats-"))
        self.port = free_port()
        self.config = self.home / "enclave.yaml"
        given = {"type": "beats", "port": self.port, **options}
        # JSON is YAML.
        self.config.write_text(json.dumps({
            "enclave": "demo", "state": str(self.home / "state"), "archive": {"flush_after": "100ms"},
            "logging": {"inputs": [given]}}))
        self.process = None

    def start(self):
        self.log = open(self.home / "said", "ab")
        self.process = subprocess.Popen([ENCLAVE, "run", "-c", self.config], stdout=self.log, stderr=self.log)
        until(self.listens, f"it listens; it said {self.said()}")

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended: {self.said()}")
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except ConnectionRefusedError:
            return False

    def said(self):
        return (self.home / "said").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE)
        self.log.close()
        return status

    def archived(self):
        """How often each text is in the archive."""
        found = subprocess.run([ENCLAVE, "search", "-c", self.config, "--json", "--limit", "1000000"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if found.returncode not in (0, 1):
            raise AssertionError(found.stderr.decode())
        records = [json.loads(line) for line in found.stdout.splitlines()]
        return collections.Counter(record["raw"] for record in records if "raw" in record)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


def text(name, index):
    return json.dumps({"@timestamp": "2026-11-23T20:00:00.000Z", "message": f"{name} {index} " + "x" * (index % 300)})


def frames(name, count, first=1):
    return b"".join(event(i, text(name, i).encode()) for i in range(first, first + count))


def texts(name, count):
    return {text(name, i) for i in range(1, count + 1)}


class BeatsTest(unittest.TestCase):
    def server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        server.start()
        return server

    def check_archive(self, server, wanted):
        self.assertEqual(server.stop(), 0, server.said())
        self.assertEqual(set(server.archived()), set(wanted))

    def test_windows_however_they_are_framed_are_acknowledged_and_archived(self):
        server = self.server()
        with Client(server.port) as client:
            client.send(window(3) + frames("plain", 3))
            self.assertEqual(client.ack(), 3)
            client.send(window(50) + packed(frames("packed", 20)) + packed(frames("packed", 30, 21)))
            self.assertEqual(client.ack(), 50)
            client.send(window(0))
            self.assertEqual(client.frame(), (b"2", 0))
            for byte in window(1) + frames("slow", 1):
                client.send(bytes([byte]))
            self.assertEqual(client.ack(), 1)
            client.send(window(2048) + packed(frames("one", 2048)) + window(2048) + packed(frames("two", 2048)))
            self.assertEqual((client.ack(), client.ack()), (2048, 2048))
        with Client(server.port) as client:
            client.send(window(1, b"1") + pairs(1, line="old", offset="0"))
            self.assertEqual(client.frame(), (b"1", 1))
        self.check_archive(server, texts("plain", 3) | texts("packed", 50) | texts("slow", 1) | texts("one", 2048)
                           | texts("two", 2048) | {'{"line":"old","offset":"0"}'})

    def test_what_was_acknowledged_outlives_the_server_and_what_was_not_is_sent_again(self):
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        server = self.server()
        acknowledged, sent = set(), set()
        for round_ in range(6):
            client = Client(server.port)
            for batch in range(20):
                name, count = f"r{round_}b{batch}", chance.randrange(1, 400)
                frames_ = frames(name, count)
                sent |= texts(name, count)
                try:
                    client.send(window(count) + (packed(frames_) if chance.random() < 0.5 else frames_))
                    if batch == 19:
                        # Between the send and its acknowledgement, sooner or later.
                        time.sleep(chance.random() * 0.05)
                        server.kill()
                    answer = client.ack()
                except OSError:
                    answer = None
                if answer is None:
                    server.process.poll() is None or server.start()
                    client.socket.close()
                    with Client(server.port) as again:
                        again.send(window(count) + frames_)
                        self.assertEqual(again.ack(), count, f"seed {seed}")
                else:
                    self.assertEqual(answer, count, f"seed {seed}")
                acknowledged |= texts(name, count)
            client.socket.close()
            server.process.poll() is None or server.start()
        self.assertEqual(acknowledged, sent)
        self.check_archive(server, acknowledged)

    def test_a_stop_acknowledges_what_it_archives(self):
        server = self.server()
        with Client(server.port) as client:
            client.send(window(500) + frames("last", 500))
            self.assertEqual(client.ack(), 500)
            self.check_archive(server, texts("last", 500))
            self.assertIsNone(client.frame())

    def test_hostile_senders_lose_their_connection_and_nobody_else_does(self):
        server = self.server()
        good = Client(server.port)
        good.send(window(2) + frames("good", 1))
        hostile = {
            "a window of 4000000000 events": window(4_000_000_000),
            "times its own": packed(window(1) + event(1, b" " * (9 << 20))),
            "a frame of 4294967295 bytes": window(1) + b"2J" + number(1) + number(0xFFFFFFFF),
            "reaches beyond": packed(window(1) + b"2J" + number(1) + number(1000) + b"{}"),
            "inside a compressed one": packed(packed(window(1) + frames("hidden", 1))),
            "not the Lumberjack protocol": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "damaged": window(1) + b"2C" + number(4) + b"abcd",
            "before any window": frames("early", 1),
        }
        for why, bytes_ in hostile.items():
            with self.subTest(why), Client(server.port) as client:
                client.send(bytes_)
                self.assertIsNone(client.frame())
        # One line for one address, however often it tries.
        until(lambda: "was disconnected" in server.said(), "it says so")
        self.assertEqual(server.said().count("was disconnected"), 1, server.said())
        good.send(frames("good", 1, 2))
        self.assertEqual(good.ack(), 2)
        good.socket.close()
        self.check_archive(server, texts("good", 2))

    def test_connections_have_a_bound_and_silent_ones_an_end(self):
        server = self.server(max_connections=3, client_inactivity_timeout="2s")
        clients = [Client(server.port) for _ in range(3)]
        with Client(server.port) as further:
            self.assertIsNone(further.frame())
        for client in clients:
            self.assertIsNone(client.frame())
            client.socket.close()
        with Client(server.port) as client:
            client.send(window(1) + frames("after", 1))
            self.assertEqual(client.ack(), 1)
        self.check_archive(server, texts("after", 1))

    def test_many_half_frames_do_not_keep_others_waiting(self):
        server = self.server(max_connections=300)
        slow = [Client(server.port) for _ in range(200)]
        for client in slow:
            client.send(window(1) + b"2J" + number(1) + number(10 << 20) + b"x" * 50_000)
        with Client(server.port) as client:
            client.send(window(100) + packed(frames("quick", 100)))
            self.assertEqual(client.ack(), 100)
        for client in slow:
            client.socket.close()
        self.check_archive(server, texts("quick", 100))


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="enclave-beats-tls-"))
        for ca in ("ca", "other"):
            cls.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
        for name, ca in (("localhost", "ca"), ("client", "ca"), ("stranger", "other")):
            cls.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{name}.key", "-out",
                        f"{name}.csr")
            cls.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-days", "2",
                        "-copy_extensions", "copyall", "-out", f"{name}.pem")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.place)

    @classmethod
    def openssl(cls, *arguments):
        subprocess.run(["openssl", *arguments], cwd=cls.place, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def at(self, name):
        return str(TlsTest.place / name)

    def server(self, **options):
        server = Server(ssl_enabled=True, ssl_certificate=TlsTest.at(TlsTest, "localhost.pem"),
                        ssl_key=TlsTest.at(TlsTest, "localhost.key"),
                        **options)
        self.addCleanup(server.close)
        server.start()
        return server

    def deliver(self, server, name, context, count=300):
        with Client(server.port, context) as client:
            client.send(window(count) + packed(frames(name, count)))
            return client.ack()

    def test_windows_go_through_tls(self):
        server = self.server()
        self.assertEqual(self.deliver(server, "tls", tls(self.at("ca.pem"))), 300)
        with Client(server.port) as client:
            client.send(window(1) + frames("plain", 1))
            # An alert comes back, then the end.
            self.assertNotIn(b"2A", client.socket.recv(100))
        self.assertEqual(self.deliver(server, "again", tls(self.at("ca.pem"))), 300)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(set(server.archived()), texts("tls", 300) | texts("again", 300))

    def refused(self, server, context):
        try:
            return self.deliver(server, "refused", context, 1) is None
        except OSError:
            return True

    def test_only_senders_with_a_good_certificate_come_in(self):
        server = self.server(ssl_client_authentication="required", ssl_certificate_authorities=[self.at("ca.pem")])
        ca = self.at("ca.pem")
        self.assertTrue(self.refused(server, tls(ca)))
        self.assertTrue(self.refused(server, tls(ca, self.at("stranger.pem"), self.at("stranger.key"))))
        self.assertEqual(self.deliver(server, "known", tls(ca, self.at("client.pem"), self.at("client.key"))), 300)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(set(server.archived()), texts("known", 300))
        self.assertIn("certificate", server.said())

    def test_a_certificate_that_does_not_hold_now_is_none(self):
        place = tempfile.mkdtemp(prefix="enclave-beats-bad-")
        self.addCleanup(shutil.rmtree, place, True)
        made = Certificates(place)
        made.issue("localhost")
        made.issue("client")
        server = Server(ssl_enabled=True, ssl_certificate=made.at("localhost.pem"), ssl_key=made.at("localhost.key"),
                        ssl_client_authentication="required", ssl_certificate_authorities=[made.at("ca.pem")])
        self.addCleanup(server.close)
        server.start()
        for name in made.issue_bad_ones():
            with self.subTest(name):
                self.assertTrue(self.refused(server, tls(made.at("ca.pem"), made.at(f"{name}.pem"),
                                                         made.at(f"{name}.key"))))
        good = tls(made.at("ca.pem"), made.at("client.pem"), made.at("client.key"))
        self.assertEqual(self.deliver(server, "good", good), 300)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(set(server.archived()), texts("good", 300))

    def test_an_optional_certificate_must_still_be_good(self):
        server = self.server(ssl_client_authentication="optional", ssl_certificate_authorities=[self.at("ca.pem")])
        ca = self.at("ca.pem")
        self.assertEqual(self.deliver(server, "none", tls(ca)), 300)
        self.assertTrue(self.refused(server, tls(ca, self.at("stranger.pem"), self.at("stranger.key"))))

    def test_the_wrong_key_is_a_reason_not_to_start(self):
        server = Server(ssl_enabled=True, ssl_certificate=self.at("localhost.pem"), ssl_key=self.at("client.key"))
        self.addCleanup(server.close)
        ended = subprocess.run([ENCLAVE, "run", "-c", server.config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               timeout=PATIENCE, check=False)
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn(b"not the private key (PEM) of", ended.stdout)


class NpmTest(unittest.TestCase):
    """Senders that others wrote."""

    SCRIPT = """
        const fs = require('fs'), [port, ca] = process.argv.slice(1)
        const Client = require('lumberjack-client')
        const server = {host: '127.0.0.1', port, ca: [fs.readFileSync(ca)], servername: 'localhost'}
        const plain = new Client(server, true)
        for (let i = 0; i < 200; ++i) plain.log({message: 'npm ' + i})
        let later = 0
        const more = setInterval(() => {
          plain.log({message: 'later ' + later})
          if (++later == 50) clearInterval(more)
        }, 5)
        const old = require('lumberjack-protocol').client(server, {maxQueueSize: 5000, windowSize: 100})
        for (let i = 0; i < 450; ++i) old.writeDataFrame({line: 'old ' + i})
        setTimeout(() => process.exit(0), 4000)
    """

    def test_two_clients_of_the_npm_registry_deliver_all_they_send(self):
        if shutil.which("npm") is None or shutil.which("node") is None:
            self.skipTest("npm is not installed")
        place = tempfile.mkdtemp(prefix="enclave-beats-npm-")
        self.addCleanup(shutil.rmtree, place, True)
        try:
            installed = subprocess.run(
                ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "lumberjack-client@1.0.3",
                 "lumberjack-protocol@1.0.7"], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                check=False)
        except subprocess.TimeoutExpired:
            self.skipTest("the npm registry does not answer")
        if installed.returncode != 0:
            self.skipTest("npm install: " + installed.stdout.decode(errors="replace").strip().splitlines()[-1])
        TlsTest.setUpClass()
        self.addCleanup(TlsTest.tearDownClass)
        server = TlsTest.server(self)
        subprocess.run(["node", "-e", self.SCRIPT, str(server.port), TlsTest.at(TlsTest, "ca.pem")], cwd=place,
                       check=True, timeout=PATIENCE)
        wanted = {f'{{"message":"npm {i}"}}' for i in range(200)} | {f'{{"message":"later {i}"}}' for i in range(50)}
        wanted |= {f'{{"line":"old {i}"}}' for i in range(450)}
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.archived(), collections.Counter(wanted), server.said())


if __name__ == "__main__":
    if not ENCLAVE:
        sys.exit(__doc__)
    unittest.main(verbosity=2)
