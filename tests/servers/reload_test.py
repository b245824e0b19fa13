#!/usr/bin/env python3
"""reload_test.py ENCLAVE: people's files change while the real program runs; no line is lost, and none comes twice."""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lumberjack_client import Client, event, window  # noqa: E402

ENCLAVE = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE = 120


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"it never came to this: {what() if callable(what) else what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def replace(path, text):
    """As a configuration tool does it: readers see the old file or the new one."""
    fresh = path.with_name(path.name + "~")
    fresh.write_text(text)
    os.rename(fresh, path)


class Machine:
    """One enclave with people's files, in a directory of its own."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="enclave-reload-"))
        self.state = self.home / "state"
        self.conf = self.home / "conf"
        self.conf.mkdir()
        self.process = None

    def start(self, *options):
        with open(self.home / "said", "ab") as said:
            self.process = subprocess.Popen([ENCLAVE, "run", "--dir", self.home, *options], stdout=said, stderr=said)

    def said(self):
        return (self.home / "said").read_text(errors="replace")

    def flows(self):
        """By id; none before they were told."""
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.said()}")
        try:
            told = json.loads((self.state / "flows.json").read_text())
        except FileNotFoundError:
            return {}
        return {flow["id"]: flow for flow in told["flows"]}

    def wait(self, condition, what):
        """Until what is told of the flows meets it."""
        def holds():
            flows = self.flows()
            try:
                return condition(flows)
            except KeyError:
                return False
        until(holds, lambda: f"{what}; it said {self.said()}\n{json.dumps(self.flows())}")

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def lines(self, name):
        path = self.home / name
        return path.read_text().splitlines() if path.exists() else []

    def pipelines(self, **paths):
        """pipelines.yml and logstash.yml, which asks for reloading; JSON is YAML."""
        (self.conf / "logstash.yml").write_text("config.reload.automatic: true\nconfig.reload.interval: 1s\n")
        replace(self.conf / "pipelines.yml", json.dumps(
            [{"pipeline.id": name, "path.config": str(path), "pipeline.workers": 2} for name, path in paths.items()]))

    def pipeline(self, name, source, output, generation=0, more=""):
        path = self.conf / f"{name}.conf"
        replace(path, f"""
            input {{ {source} }}
            filter {{ mutate {{ add_field => {{ "[@metadata][made]" => "{generation}" }} }} {more} }}
            output {{ {output} }}""")
        return path

    def to_file(self, name):
        return (f'file {{ path => "{self.home}/{name}" '
                'codec => line { format => "%{[@metadata][made]} %{message}" } }')


class Load(threading.Thread):
    """Sends numbered lines until told to stop."""

    def __init__(self, send):
        super().__init__(daemon=True)
        self.send = send
        self.over = threading.Event()
        self.sent = 0
        self.wrong = None

    def run(self):
        try:
            while not self.over.is_set():
                self.send(self.sent)
                self.sent += 1
                time.sleep(0.001)
        except Exception as wrong:  # pylint: disable=broad-except
            self.wrong = wrong

    def finish(self):
        self.over.set()
        self.join()
        if self.wrong is not None:
            raise self.wrong
        return self.sent


def into_file(path):
    """Half a line first, so that a reload meets unfinished ones."""
    def send(number):
        text = f"line {number} of {path.name}\n"
        with open(path, "a", encoding="utf-8") as file:
            file.write(text[:7])
            file.flush()
            time.sleep(0.002)
            file.write(text[7:])
    return send


def into_socket(connection):
    def send(number):
        text = f"line {number} of tcp\n".encode()
        connection.sendall(text[:7])
        time.sleep(0.002)
        connection.sendall(text[7:])
    return send


def into_beats(client):
    def send(number):
        client.send(window(1) + event(1, json.dumps({"message": f"line {number} of beats"}).encode()))
        if client.ack() != 1:
            raise AssertionError("an acknowledgement is wanted")
    return send


class ReloadTest(unittest.TestCase):
    def machine(self):
        machine = Machine()
        self.addCleanup(machine.close)
        return machine

    def check_lines(self, lines, name, count):
        """Each once; and what an old configuration made comes before what a new one made."""
        made, texts = zip(*(line.split(" ", 1) for line in lines)) if lines else ((), ())
        wanted = collections.Counter(f"line {number} of {name}" for number in range(count))
        found = collections.Counter(texts)
        self.assertEqual((found - wanted, wanted - found), (collections.Counter(), collections.Counter()), name)
        self.assertEqual(list(made), sorted(made, key=int), name)
        return set(made)

    def test_under_load_each_line_comes_once_through_many_reloads(self):
        machine = self.machine()
        tcp, beats = free_port(), free_port()
        logs = machine.home / "logs"
        logs.mkdir()
        sources = {
            "files": f'file {{ path => "{logs}/*.log" start_position => "beginning" '
                     'codec => plain { charset => "UTF-8" } }',
            "net": f'tcp {{ port => {tcp} host => "127.0.0.1" codec => line }}',
            "ship": f'beats {{ port => {beats} host => "127.0.0.1" }}',
            "still": f'file {{ path => "{logs}/still.txt" start_position => "beginning" }}'}
        paths = {name: machine.pipeline(name, source, machine.to_file(f"{name}.out"))
                 for name, source in sources.items()}
        machine.pipelines(**paths)
        (logs / "still.txt").write_text("line 0 of still.txt\n")
        machine.start("--logstash", str(machine.conf))
        machine.wait(lambda flows: flows["still"]["events_in"] == 1, "all run")
        loads = {f"{name}.log": Load(into_file(logs / f"{name}.log")) for name in "ab"}
        connection = socket.create_connection(("127.0.0.1", tcp))
        self.addCleanup(connection.close)
        loads["tcp"] = Load(into_socket(connection))
        client = Client(beats)
        self.addCleanup(client.__exit__)
        loads["beats"] = Load(into_beats(client))
        for load in loads.values():
            load.start()
        for generation in range(1, 6):
            for name in ("files", "net", "ship"):
                # Inputs that stay the same stay open; that of `files` changes each time.
                source = sources[name].replace("UTF-8", "ISO-8859-1") if name == "files" and generation % 2 else \
                    sources[name]
                machine.pipeline(name, source, machine.to_file(f"{name}.out"), generation)
            if generation % 2:
                machine.hang_up()
            machine.wait(lambda flows, wanted=generation: all(
                flows[name]["reloads"] == wanted and flows[name]["events_in"] > 0
                for name in ("files", "net", "ship")), f"reload {generation}")
        counts = {name: load.finish() for name, load in loads.items()}
        lines = lambda name: [line.split(" ", 1)[1] for line in machine.lines(f"{name}.out")]  # noqa: E731
        until(lambda: len(set(lines("net"))) == counts["tcp"], "all of tcp is there")
        until(lambda: len(set(lines("files"))) == counts["a.log"] + counts["b.log"], "all of the files is there")
        self.assertEqual(machine.flows()["still"]["reloads"], 0)
        self.assertEqual(machine.stop(), 0, machine.said())
        files = machine.lines("files.out")
        for name in ("a.log", "b.log"):
            self.check_lines([line for line in files if line.endswith(name)], name, counts[name])
        self.assertEqual(self.check_lines(machine.lines("net.out"), "tcp", counts["tcp"]), set("012345"))
        self.check_lines(machine.lines("ship.out"), "beats", counts["beats"])
        self.assertEqual(machine.lines("still.out"), ["0 line 0 of still.txt"])

    def test_a_bad_file_is_refused_and_the_old_one_goes_on(self):
        machine = self.machine()
        port = free_port()
        source = f'tcp {{ port => {port} host => "127.0.0.1" codec => line }}'
        path = machine.pipeline("main", source, machine.to_file("main.out"))
        machine.start("--logstash", str(path))
        machine.wait(lambda flows: flows["main"]["workers"] > 0, "it runs")
        connection = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(connection.close)
        replace(path, "input { tcp { port => nonsense } } filter { grokk { } } output { }")
        machine.hang_up()
        machine.wait(lambda flows: flows["main"]["reloads_refused"] == 1, "it is refused")
        troubles = "\n".join(machine.flows()["main"]["troubles"])
        self.assertIn("the old one goes on", troubles)
        # All mistakes, with their places.
        self.assertIn(f"{path}:1:", troubles)
        self.assertIn("grokk", troubles)
        self.assertIn("nonsense", troubles)
        connection.sendall(b"line 0 of tcp\n")
        until(lambda: machine.lines("main.out") == ["0 line 0 of tcp"], "the old one goes on")
        machine.pipeline("main", source, machine.to_file("main.out"), 1)
        machine.hang_up()
        machine.wait(lambda flows: flows["main"]["reloads"] == 1 and not flows["main"]["troubles"], "a good one runs")
        connection.sendall(b"line 1 of tcp\n")
        until(lambda: machine.lines("main.out") == ["0 line 0 of tcp", "1 line 1 of tcp"], "the new one goes on")
        self.assertEqual(machine.flows()["main"]["reloads_refused"], 1)
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_without_being_asked_to_nothing_is_reloaded(self):
        machine = self.machine()
        log = machine.home / "in.log"
        log.write_text("line 0 of in.log\n")
        source = f'file {{ path => "{log}" start_position => "beginning" }}'
        path = machine.pipeline("main", source, machine.to_file("main.out"))
        machine.start("--logstash", str(path))
        until(lambda: machine.lines("main.out") == ["0 line 0 of in.log"], "it runs")
        machine.pipeline("main", source, machine.to_file("main.out"), 1)
        machine.wait(lambda flows: flows["main"]["events_in"] == 1, "it is told")
        self.assertNotIn("Reloading", machine.said())
        machine.hang_up()
        machine.wait(lambda flows: flows["main"]["reloads"] == 1, "it is reloaded when asked")
        machine.hang_up()
        until(lambda: "unchanged" in machine.said(), "what is the same is not replaced")
        self.assertEqual(machine.flows()["main"]["reloads"], 1)
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_files_that_a_filter_reads_count_too(self):
        machine = self.machine()
        port = free_port()
        words, patterns = machine.home / "words.yml", machine.home / "patterns"
        words.write_text("a: one\n")
        patterns.mkdir()
        (patterns / "own").write_text("OWN x+\n")
        more = (f'translate {{ source => "message" target => "[@metadata][made]" dictionary_path => "{words}" '
                'override => true fallback => "none" } '
                f'grok {{ match => {{ "message" => "^%{{OWN}}$" }} patterns_dir => ["{patterns}"] '
                'add_field => { "own" => "yes" } } if [own] { mutate { replace => { "message" => "own" } } }')
        path = machine.pipeline("main", f'tcp {{ port => {port} host => "127.0.0.1" codec => line }}',
                                machine.to_file("main.out"), more=more)
        machine.start("--logstash", str(path), "--reload")
        machine.wait(lambda flows: flows["main"]["workers"] > 0, "it runs")
        connection = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(connection.close)
        connection.sendall(b"a\nyy\n")
        until(lambda: machine.lines("main.out") == ["one a", "none yy"], "the first words")
        words.write_text("a: two\n")
        machine.wait(lambda flows: flows["main"]["reloads"] == 1, "a new dictionary")
        (patterns / "own").write_text("OWN y+\n")
        machine.wait(lambda flows: flows["main"]["reloads"] == 2, "new patterns")
        connection.sendall(b"a\nyy\n")
        until(lambda: machine.lines("main.out")[2:] == ["two a", "none own"], "the second words")
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_pipelines_come_and_go_and_others_are_left_alone(self):
        machine = self.machine()
        ports = {name: free_port() for name in "abc"}
        def made(name, generation=0):
            return machine.pipeline(name, f'tcp {{ port => {ports[name]} host => "127.0.0.1" codec => line }}',
                                    machine.to_file(f"{name}.out"), generation)
        machine.pipelines(a=made("a"), b=made("b"))
        machine.start("--logstash", str(machine.conf))
        machine.wait(lambda flows: set(flows) == {"a", "b"}, "two run")
        kept = socket.create_connection(("127.0.0.1", ports["a"]))
        self.addCleanup(kept.close)
        kept.sendall(b"line 0 of a\n")
        gone = socket.create_connection(("127.0.0.1", ports["b"]))
        self.addCleanup(gone.close)
        gone.sendall(b"line 0 of b\nline 1 of b")
        until(lambda: machine.lines("b.out") == ["0 line 0 of b"], "b reads")
        machine.pipelines(a=machine.conf / "a.conf", c=made("c"))
        machine.wait(lambda flows: set(flows) == {"a", "c"}, "b has gone, c has come")
        # A connection's unfinished line is given out when its pipeline ends.
        self.assertEqual(machine.lines("b.out"), ["0 line 0 of b", "0 line 1 of b"])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", ports["b"]))
        with socket.create_connection(("127.0.0.1", ports["c"])) as new:
            new.sendall(b"line 0 of c\n")
            until(lambda: machine.lines("c.out") == ["0 line 0 of c"], "c reads")
        kept.sendall(b"line 1 of a\n")
        until(lambda: machine.lines("a.out") == ["0 line 0 of a", "0 line 1 of a"], "a goes on")
        self.assertEqual(machine.flows()["a"]["reloads"], 0)
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_what_does_not_open_gives_way_to_what_ran(self):
        machine = self.machine()
        port = free_port()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            def made(number, generation):
                return machine.pipeline("main", f'tcp {{ port => {number} host => "127.0.0.1" codec => line }}',
                                        machine.to_file("main.out"), generation)
            path = made(port, 0)
            machine.start("--logstash", str(path))
            machine.wait(lambda flows: flows["main"]["workers"] > 0, "it runs")
            made(taken.getsockname()[1], 1)
            machine.hang_up()
            machine.wait(lambda flows: flows["main"]["reloads_refused"] == 1, "the port is taken")
            self.assertIn("the old one goes on", "\n".join(machine.flows()["main"]["troubles"]))
            with socket.create_connection(("127.0.0.1", port)) as sender:
                sender.sendall(b"line 0 of tcp\n")
                until(lambda: machine.lines("main.out") == ["0 line 0 of tcp"], "the old one is back")
            other = taken.getsockname()[1]
        machine.hang_up()
        machine.wait(lambda flows: flows["main"]["reloads"] == 1 and not flows["main"]["troubles"], "the port is free")
        with socket.create_connection(("127.0.0.1", other)) as sender:
            sender.sendall(b"line 1 of tcp\n")
            until(lambda: machine.lines("main.out")[1:] == ["1 line 1 of tcp"], "the new one runs")
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_a_mended_output_gets_what_the_old_one_did_not_take(self):
        machine = self.machine()
        log = machine.home / "in.log"
        log.write_text("".join(f"line {number} of in.log\n" for number in range(1000)))
        source = f'file {{ path => "{log}" start_position => "beginning" }}'
        path = machine.pipeline("main", source, f'tcp {{ host => "127.0.0.1" port => {free_port()} }}')
        machine.start("--logstash", str(path), "--reload")
        machine.wait(lambda flows: flows["main"]["batches_waiting"] > 0, "it waits for the output")
        machine.pipeline("main", source, machine.to_file("main.out"), 1)
        machine.wait(lambda flows: flows["main"]["reloads"] == 1 and flows["main"]["events_in"] == 1000, "it goes on")
        self.assertIn("outputs of the pipeline main are away", machine.said())
        self.assertEqual(machine.stop(), 0, machine.said())
        self.check_lines(machine.lines("main.out"), "in.log", 1000)

    def test_two_pipelines_change_places(self):
        machine = self.machine()
        ports = [free_port(), free_port()]
        def made(one, other):
            return {name: machine.pipeline(name, f'tcp {{ port => {port} host => "127.0.0.1" codec => line }}',
                                           machine.to_file(f"{name}.out"))
                    for name, port in (("a", one), ("b", other))}
        machine.pipelines(**made(*ports))
        machine.start("--logstash", str(machine.conf))
        machine.wait(lambda flows: set(flows) == {"a", "b"}, "both run")
        made(*reversed(ports))
        machine.wait(lambda flows: all(flows[name]["reloads"] == 1 for name in "ab"), "both are reloaded")
        with socket.create_connection(("127.0.0.1", ports[0])) as sender:
            sender.sendall(b"line\n")
        until(lambda: machine.lines("b.out") == ["0 line"], machine.said)
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_killed_while_it_reloads_nothing_is_lost(self):
        machine = self.machine()
        log = machine.home / "in.log"
        source = f'file {{ path => "{log}" start_position => "beginning" }}'
        path = machine.pipeline("main", source, machine.to_file("main.out"))
        load = Load(into_file(log))
        load.start()
        for generation in range(1, 6):
            machine.start("--logstash", str(path), "--reload")
            machine.wait(lambda flows: flows["main"]["events_in"] > 0, "it runs")
            machine.pipeline("main", source, machine.to_file("main.out"), generation)
            machine.hang_up()
            until(lambda wanted=generation: machine.said().count("Reloading") >= wanted, machine.said)
            machine.process.kill()
            machine.process.wait()
            (machine.state / "flows.json").unlink(missing_ok=True)
        count = load.finish()
        machine.start("--logstash", str(path))
        wanted = {f"line {number} of in.log" for number in range(count)}
        found = lambda: {line.split(" ", 1)[-1] for line in machine.lines("main.out")}  # noqa: E731
        until(lambda: wanted <= found(), machine.said)
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_stopped_while_it_reloads_each_line_comes_once(self):
        machine = self.machine()
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        log = machine.home / "in.log"
        source = f'file {{ path => "{log}" start_position => "beginning" }}'
        path = machine.pipeline("main", source, machine.to_file("main.out"))
        load = Load(into_file(log))
        load.start()
        for generation in range(1, 9):
            machine.start("--logstash", str(path), "--reload")
            machine.wait(lambda flows: flows["main"]["workers"] > 0, "it runs")
            kind = f'type => "t{generation}" ' if generation % 2 else ""
            machine.pipeline("main", source.replace("start", kind + "start"), machine.to_file("main.out"), generation)
            machine.hang_up()
            time.sleep(chance.random() * 0.2)
            self.assertEqual(machine.stop(), 0, f"seed {seed}: {machine.said()}")
            (machine.state / "flows.json").unlink()
        count = load.finish()
        machine.start("--logstash", str(path))
        # A stop gives out a line that has no end yet, so what was written stands in the text as a whole.
        def written():
            return "".join(line.split(" ", 1)[-1] for line in machine.lines("main.out")).split("line ")
        until(lambda: f"{count - 1} of in.log" in written(), machine.said)
        self.assertEqual(machine.stop(), 0, machine.said())
        texts = collections.Counter(written())
        del texts[""]
        self.assertEqual(texts, collections.Counter(f"{number} of in.log" for number in range(count)), f"seed {seed}")

    def test_a_hangup_does_not_end_what_has_nothing_to_reload(self):
        machine = self.machine()
        (machine.home / "enclave.yaml").write_text(json.dumps({"enclave": "demo", "state": str(machine.state)}))
        machine.start()
        until((machine.state / "status.json").exists, machine.said)
        machine.hang_up()
        until(lambda: "enclave.yaml is read at the start only" in machine.said(), machine.said)
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_the_archive_has_each_line_once(self):
        machine = self.machine()
        (machine.home / "enclave.yaml").write_text(json.dumps({
            "enclave": "demo", "state": str(machine.state), "archive": {"flush_after": "100ms"},
            "keys": {"provider": "file", "identity": str(machine.home / "identity")},
            "storage": {"endpoint": f"file://{machine.home}/store"}, "buckets": [{"name": "logs", "for": "logs"}]}))
        log, port = machine.home / "in.log", free_port()
        source = (f'file {{ path => "{log}" start_position => "beginning" }} '
                  f'tcp {{ port => {port} host => "127.0.0.1" codec => line }}')
        path = machine.pipeline("main", source, "archive { }")
        machine.start("--logstash", str(path), "--reload")
        machine.wait(lambda flows: flows["main"]["workers"] > 0, "it runs")
        connection = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(connection.close)
        loads = {"in.log": Load(into_file(log)), "tcp": Load(into_socket(connection))}
        for load in loads.values():
            load.start()
        for generation in range(1, 5):
            kind = f'type => "t{generation}" ' if generation == 3 else ""
            # Its tcp input stays; the file input is opened anew in the third one, from the archive's positions.
            changed = source.replace("start_position", kind + "start_position")
            machine.pipeline("main", changed, "archive { }", generation)
            machine.wait(lambda flows, wanted=generation: flows["main"]["reloads"] == wanted
                         and flows["main"]["events_in"] > 0, f"reload {generation}")
        counts = {name: load.finish() for name, load in loads.items()}
        total = sum(counts.values())
        texts = {f"line {number} of {name}" for name, count in counts.items() for number in range(count)}
        machine.wait(lambda flows: flows["main"]["batches_waiting"] == 0, "all is committed")
        self.assertEqual(machine.stop(), 0, machine.said())
        found = subprocess.run([ENCLAVE, "search", "--dir", machine.home, "--json", "--limit", "1000000"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertIn(found.returncode, (0, 1), found.stderr)
        raws = [json.loads(line)["raw"] for line in found.stdout.splitlines()]
        self.assertEqual(collections.Counter(raws), collections.Counter(texts))
        self.assertEqual(len(raws), total)
        verdict = subprocess.run([ENCLAVE, "verify", "--dir", machine.home], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, check=False)
        self.assertEqual(verdict.returncode, 0, verdict.stdout)

    def test_as_many_workers_run_as_are_asked_for(self):
        machine = self.machine()
        path = machine.pipeline("main", f'tcp {{ port => {free_port()} host => "127.0.0.1" }}', machine.to_file("out"))
        def workers(count):
            (machine.conf / "logstash.yml").write_text("config.reload.automatic: true\nconfig.reload.interval: 1s\n")
            replace(machine.conf / "pipelines.yml", json.dumps(
                [{"pipeline.id": "main", "path.config": str(path), "pipeline.workers": count}]))
        def threads():
            names = []
            for task in pathlib.Path(f"/proc/{machine.process.pid}/task").iterdir():
                try:
                    names.append((task / "comm").read_text().strip())
                except (FileNotFoundError, ProcessLookupError):
                    pass
            return names.count("worker main")
        workers(3)
        machine.start("--logstash", str(machine.conf))
        machine.wait(lambda flows: flows["main"]["workers"] == 3, "three are told")
        until(lambda: threads() == 3, "three run")
        workers(1)
        machine.wait(lambda flows: flows["main"]["workers"] == 1 and flows["main"]["reloads"] == 1, "one is told")
        until(lambda: threads() == 1, "one runs")
        self.assertEqual(machine.stop(), 0, machine.said())

    def test_a_folder_of_filebeat_inputs_is_followed_and_filebeat_yml_is_not(self):
        machine = self.machine()
        folder = machine.home / "inputs.d"
        folder.mkdir()
        def added(name):
            log = machine.home / f"{name}.log"
            log.write_text(f"line 0 of {name}\n")
            replace(folder / f"{name}.yml", json.dumps([{"type": "log", "paths": [str(log)]}]))
        def shipped():
            return [json.loads(line)["message"] for line in machine.lines("shipped")]
        added("a")
        config = {"filebeat.config.inputs": {"enabled": True, "path": str(folder / "*.yml"), "reload.enabled": True,
                                             "reload.period": "1s"},
                  "output.file": {"path": str(machine.home), "filename": "shipped", "rotate_on_startup": False}}
        path = machine.home / "filebeat.yml"
        path.write_text(json.dumps(config))
        machine.start("--filebeat", str(path), "--compat", "7")
        until(lambda: shipped() == ["line 0 of a"], machine.said)
        path.write_text(json.dumps({**config, "tags": ["new"]}))
        added("b")
        until(lambda: shipped() == ["line 0 of a", "line 0 of b"], machine.said)
        (folder / "b.yml").unlink()
        machine.wait(lambda flows: flows["filebeat"]["reloads"] == 2, "the second input goes")
        with open(machine.home / "a.log", "a", encoding="utf-8") as log:
            log.write("line 1 of a\n")
        until(lambda: shipped()[2:] == ["line 1 of a"], machine.said)
        self.assertEqual(machine.stop(), 0, machine.said())


if __name__ == "__main__":
    unittest.main(verbosity=2)
