#!/usr/bin/env python3
"""metrics_test.py ENCLAVE: what a running enclave tells of itself, and what it does with dead letters."""
import collections
import http.server
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ENCLAVE = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE = 60
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
VALUE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|Inf)|NaN")


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"it never came to this: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse(text):
    """The text format 0.0.4, and of it only what a careful program writes: {(name, labels): value}."""
    samples, types, helped, current, done = {}, {}, set(), None, set()
    if not text.endswith("\n"):
        raise ValueError("no line feed at the end")
    for number, line in enumerate(text[:-1].split("\n"), 1):
        def wrong(what):
            raise ValueError(f"line {number}: {what}: {line}")
        if line.startswith("# "):
            parts = line.split(" ", 3)
            if len(parts) != 4 or parts[1] not in ("HELP", "TYPE") or not NAME.fullmatch(parts[2]):
                wrong("neither HELP nor TYPE")
            if parts[2] != current:
                if parts[2] in done:
                    wrong("a family in two places")
                current = parts[2]
                done.add(current)
            if parts[1] == "HELP":
                if current in helped:
                    wrong("HELP twice")
                helped.add(current)
            elif current in types or parts[3] not in ("counter", "gauge", "untyped"):
                wrong("TYPE")
            else:
                types[current] = parts[3]
            continue
        name = NAME.match(line)
        if not name or name.group() != current or current not in types or current not in helped:
            wrong("a sample without its HELP and TYPE before it")
        if (types[current] == "counter") != current.endswith("_total"):
            wrong("counters, and only they, end in _total")
        rest, labels = line[name.end():], []
        if rest.startswith("{"):
            rest = rest[1:]
            while not rest.startswith("}"):
                label = LABEL.match(rest)
                if not label:
                    wrong("a label")
                value = label[2].replace("\\\\", "\0").replace('\\"', '"').replace("\\n", "\n").replace("\0", "\\")
                labels.append((label[1], value))
                rest = rest[label.end():]
                if rest.startswith(","):
                    rest = rest[1:]
                elif not rest.startswith("}"):
                    wrong("what stands behind a label")
            rest = rest[1:]
        if len({key for key, _ in labels}) != len(labels):
            wrong("a label twice")
        if not rest.startswith(" ") or not VALUE.fullmatch(rest[1:]):
            wrong("a value")
        key = (current, frozenset(labels))
        if key in samples:
            wrong("a sample twice")
        samples[key] = float(rest[1:])
        if types[current] == "counter" and not samples[key] >= 0:
            wrong("a counter below 0")
    return samples


class Samples:
    def __init__(self, text):
        self.samples = parse(text)

    def all(self, name, **labels):
        wanted = set(labels.items())
        return {key[1]: value for key, value in self.samples.items() if key[0] == name and wanted <= key[1]}

    def sum(self, name, **labels):
        return sum(self.all(name, **labels).values())


class Receiver:
    """An HTTP server that takes events, refuses those that hold a word, or takes its time."""

    def __init__(self):
        self.got, self.refuse, self.delay = [], None, 0.0
        lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                time.sleep(outer.delay)
                bad = outer.refuse is not None and outer.refuse in body
                if not bad:
                    with lock:
                        outer.got.append(json.loads(body)["message"])
                self.send_response(422 if bad else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a sender that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Program:
    def __init__(self, home, *options):
        self.home, self.options, self.process = home, options, None

    def start(self):
        self.log = open(self.home / "said", "ab")
        self.process = subprocess.Popen([ENCLAVE, "run", *map(str, self.options)], stdout=self.log, stderr=self.log,
                                        cwd=self.home)

    def said(self):
        return (self.home / "said").read_text(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE)
        self.log.close()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def get(port, path):
    """(status, type, body); None while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


class MetricsTest(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="enclave-metrics-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.port = free_port()

    def run_program(self, *options):
        program = Program(self.home, *options)
        program.start()
        self.addCleanup(program.kill)
        return program

    def samples(self, port=None):
        status, kind, text = until(lambda: get(port or self.port, "/metrics"), "metrics are answered")
        self.assertEqual(status, 200)
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        return Samples(text)

    def enclave(self, *words):
        done = subprocess.run([ENCLAVE, *words, "--dir", str(self.home)], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def pipeline(self, receiver, more=""):
        (self.home / "p.conf").write_text(
            "input { file { id => 'the \"first\" one' path => \"%s\" start_position => beginning } }\n"
            "filter { if [message] =~ /^drop/ { drop { id => unwanted } }\n%s}\n"
            "output { if [message] !~ /^nowhere/ { http { id => receiver http_method => post\n"
            "  url => \"http://127.0.0.1:%d/\" } } }\n" % (self.home / "in.log", more, receiver.port))

    def expect_balance(self, samples):
        name = "enclave_pipeline_events_"
        by_filters = sum(value for labels, value in samples.all(name + "dropped_total").items()
                         if ("reason", "dead letters full") not in labels)
        self.assertEqual(samples.sum(name + "in_total") + samples.sum(name + "made_total"),
                         by_filters + samples.sum("enclave_pipeline_letters_returned_total")
                         + samples.sum(name + "out_total"))
        self.assertEqual(samples.sum("enclave_output_events_total"),
                         samples.sum("enclave_output_events_delivered_total")
                         + samples.sum("enclave_output_events_waiting")
                         + samples.sum("enclave_output_dead_letters_total"))

    def test_counters_are_well_formed_and_balance_at_every_look(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        receiver.refuse = "bad"
        lines = [f"{word} {i}" for i in range(300) for word in ("good", "drop", "bad", "nowhere", "a,b,c")]
        self.pipeline(receiver, "if [message] =~ /^a,/ { split { terminator => \",\" } }\n")
        (self.home / "in.log").write_text("\n".join(lines) + "\n")
        self.run_program("--logstash", "p.conf", "--dir", self.home, "--metrics", f"127.0.0.1:{self.port}")
        looks = 0

        def done():
            nonlocal looks
            samples = self.samples()
            self.expect_balance(samples)
            looks += 1
            return samples.sum("enclave_output_events_delivered_total") == 1200 and samples
        samples = until(done, "all is delivered")
        self.assertGreater(looks, 0)
        self.assertEqual(samples.all("enclave_input_events_total"),
                         {frozenset({("pipeline", "main"), ("input", 'the "first" one')}): 1500})
        dropped = {dict(labels)["reason"]: value
                   for labels, value in samples.all("enclave_pipeline_events_dropped_total").items()}
        self.assertEqual(dropped, {"drop": 300, "taken apart": 300, "no output": 300})
        self.assertEqual(samples.sum("enclave_output_dead_letters_total", output="receiver"), 300)
        self.assertEqual(samples.sum("enclave_healthy"), 1)
        self.assertEqual(get(self.port, "/healthz"), (200, "application/json", '{"healthy":true,"troubles":[]}\n'))
        self.assertEqual(get(self.port, "/else")[0], 404)
        promtool = shutil.which("promtool")
        if promtool:
            text = get(self.port, "/metrics")[2]
            done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        else:
            print("skipped: promtool is not installed", file=sys.stderr)

    def test_an_output_that_is_away_is_no_health(self):
        receiver = Receiver()
        self.pipeline(receiver)
        receiver.stop()
        (self.home / "in.log").write_text("one\n")
        self.run_program("--logstash", "p.conf", "--dir", self.home, "--metrics", f"127.0.0.1:{self.port}")

        def ill():
            answer = get(self.port, "/healthz")
            return answer and answer[0] == 503 and json.loads(answer[2])
        told = until(ill, "it is not healthy")
        self.assertFalse(told["healthy"])
        self.assertIn(f"http://127.0.0.1:{receiver.port}/", told["troubles"][0])
        self.assertEqual(self.samples().sum("enclave_healthy"), 0)
        # What it reads is written once a second.
        status = [ENCLAVE, "status", "--dir", str(self.home), "--json"]
        until(lambda: subprocess.run(status, capture_output=True, check=False).returncode == 1, "status tells it too")

    def test_the_archive_tells_of_itself_where_enclave_yaml_says(self):
        (self.home / "in.log").write_text("one\ntwo\n")
        (self.home / "enclave.yaml").write_text(json.dumps({
            "enclave": "demo", "state": "state", "archive": {"flush_after": "100ms"},
            "metrics": {"listen": f"127.0.0.1:{self.port}"},
            "logging": {"inputs": [{"type": "file", "paths": [str(self.home / "in.log")]}]}}))
        program = self.run_program("--dir", self.home)
        samples = until(lambda: (found := self.samples()).sum("enclave_log_records_sealed_total") == 2 and found,
                        "it is sealed")
        self.assertEqual(samples.sum("enclave_log_read_bytes_total"), 6)
        self.assertGreater(samples.sum("enclave_log_last_seal_timestamp_seconds"), 1.7e9)
        self.assertEqual(program.stop(), 0)

    def test_files_of_logstash_and_filebeat_ask_for_it(self):
        other = free_port()
        (self.home / "p.conf").write_text("input { heartbeat { } } output { null { } }\n")
        (self.home / "logstash.yml").write_text(f"path.config: {self.home}/p.conf\napi.http.port: {self.port}\n")
        (self.home / "filebeat.yml").write_text(
            f"filebeat.inputs: [{{type: log, paths: ['{self.home}/*.log']}}]\noutput.console: {{}}\n"
            f"http: {{enabled: true, host: localhost, port: {other}}}\n")
        self.run_program("--logstash", self.home, "--filebeat", "filebeat.yml", "--dir", self.home)
        for port in (self.port, other):
            self.assertEqual(len(self.samples(port).all("enclave_pipeline_workers")), 2)

    def test_nobody_who_asks_not_is_answered(self):
        (self.home / "p.conf").write_text("input { generator { count => 1 } } output { null { } }\n")
        program = self.run_program("--logstash", "p.conf", "--dir", self.home, "--once")
        self.assertEqual(program.process.wait(timeout=PATIENCE), 0)
        self.assertNotIn("Metrics", program.said())

    def test_a_port_that_is_taken_is_told_and_taken_later(self):
        (self.home / "p.conf").write_text("input { heartbeat { } } output { null { } }\n")
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", self.port))
            holder.listen()
            program = self.run_program("--logstash", "p.conf", "--dir", self.home, "--metrics",
                                       f"127.0.0.1:{self.port}")
            until(lambda: "Trouble: no metrics" in program.said(), "it is told")
            until((self.home / "state" / "flows.json").exists, "the pipeline runs")
        self.assertGreater(self.samples().sum("enclave_pipeline_workers"), 0)
        self.assertIn("No longer so: no metrics", program.said())
        self.assertEqual(program.stop(), 0)

    def test_replayed_letters_are_delivered_while_it_runs(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        receiver.refuse = "bad"
        self.pipeline(receiver)
        (self.home / "in.log").write_text("bad 1\ngood\nbad 2\nbad 3\n")
        self.run_program("--logstash", "p.conf", "--dir", self.home, "--metrics", f"127.0.0.1:{self.port}")
        until(lambda: self.samples().sum("enclave_output_dead_letters_total") == 3, "three are refused")
        letters = [json.loads(line) for line in self.enclave("deadletters", "show", "--json").splitlines()]
        # Several requests are on their way at once.
        self.assertEqual(sorted(each["event"]["message"] for each in letters), ["bad 1", "bad 2", "bad 3"])
        self.assertEqual({(each["plugin"], each["output"]) for each in letters}, {("http", "receiver")})
        self.enclave("deadletters", "replay", letters[1]["id"])
        until(lambda: self.samples().sum("enclave_output_dead_letters_total") == 4, "it is refused again")
        receiver.refuse = None
        self.enclave("deadletters", "replay", "--all")
        until(lambda: len(receiver.got) == 4, "all are there")
        self.assertEqual(collections.Counter(receiver.got), collections.Counter(["good", "bad 1", "bad 2", "bad 3"]))
        self.assertEqual(self.enclave("deadletters", "ls", "--json"), "")
        self.expect_balance(self.samples())
        replay = self.home / "state" / "flows" / "main" / "replay"
        until(lambda: not list(replay.iterdir()), "the file of the replay goes")

    def test_no_letter_is_lost_when_a_replay_is_killed(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        receiver.refuse = "bad"
        self.pipeline(receiver)
        wanted = {f"bad {i}" for i in range(200)}
        (self.home / "in.log").write_text("".join(f"bad {i}\n" for i in range(200)))
        program = self.run_program("--logstash", "p.conf", "--dir", self.home, "--once")
        self.assertEqual(program.process.wait(timeout=PATIENCE), 0, program.said())
        self.assertEqual(len(self.enclave("deadletters", "ls", "--json").splitlines()), 200)
        self.enclave("deadletters", "replay", "--all")
        receiver.refuse, receiver.delay = None, 0.02
        for kills in range(3):
            program = self.run_program("--logstash", "p.conf", "--dir", self.home)
            until(lambda: len(receiver.got) > 20 * (kills + 1), "some are there")
            program.kill()
        receiver.delay = 0
        program = self.run_program("--logstash", "p.conf", "--dir", self.home, "--once")
        self.assertEqual(program.process.wait(timeout=PATIENCE), 0, program.said())
        self.assertEqual(set(receiver.got), wanted)
        self.assertEqual(self.enclave("deadletters", "ls", "--json"), "")


class ParserTest(unittest.TestCase):
    """The strict parser is none when it takes everything."""

    def test_refuses_what_is_wrong(self):
        good = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c\\"\\\\\\n"} 1\n'
        self.assertEqual(parse(good), {("a_total", frozenset({("b", 'c"\\\n')})): 1})
        for bad in (good[:-1], good + good, good.replace("counter", "gauge"), good.replace('\\"', '"'), "a 1\n",
                    good.replace("} 1", "} one"), good.replace("} 1", "}  1"), good + 'a_total{b="c\\"\\\\\\n"} 1\n',
                    good.replace("HELP", "HELLO"), good.replace("} 1", "} -1")):
            with self.assertRaises(ValueError, msg=bad):
                parse(bad)


if __name__ == "__main__":
    unittest.main()
