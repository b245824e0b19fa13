"""enclave with people's own files: what each row runs, and the check of what came out."""
import json
import os
import shutil
import socket
import subprocess
import time

from . import checks
from .process import Failure, Running

JSON_EVENTS = "pipeline.ecs_compatibility: disabled\n"
GROK = 'grok { match => { "message" => "%{COMBINEDAPACHELOG}" } }'


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Sink:
    """bench_sink, started and asked for what it counted."""

    def __init__(self, program, kind, place):
        place.mkdir(parents=True, exist_ok=True)
        self.samples = place / "samples"
        command = [str(program), kind, str(checks.EVERY), str(self.samples)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def counted(self):
        text, _ = self.process.communicate(timeout=60)
        return json.loads(text)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Ours:
    def __init__(self, build, work, corpus, checkout):
        self.enclave, self.sink = build / "enclave", build / "bench/bench_sink"
        self.work, self.corpus, self.checkout = work, corpus, checkout

    def place(self, name):
        place = self.work / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    # -- people's files ------------------------------------------------------------------------------------------------

    def logstash(self, place, workers, filters, output, source=None, settings=JSON_EVENTS):
        """A settings folder as Logstash has it."""
        folder = place / "settings"
        folder.mkdir(parents=True, exist_ok=True)
        source = source or (f'file {{ path => "{self.corpus.path}" mode => "read" start_position => "beginning" '
                            f'sincedb_path => "{place}/sincedb" file_completed_action => "log" '
                            f'file_completed_log_path => "{place}/completed" }}')
        (folder / "main.conf").write_text(
            f"input {{ {source} }}\nfilter {{ {filters} }}\noutput {{ {output} }}\n", encoding="utf-8")
        (folder / "logstash.yml").write_text(f"pipeline.workers: {workers}\n{settings}", encoding="utf-8")
        (folder / "pipelines.yml").write_text(
            f"- pipeline.id: main\n  path.config: {folder}/main.conf\n", encoding="utf-8")
        return folder

    def filebeat(self, place, port, *, level=0, compat=8, workers=1):
        file = place / "filebeat.yml"
        kind = "type: filestream\n    id: corpus" if compat > 6 else "type: log"
        file.write_text(
            f"filebeat.inputs:\n  - {kind}\n    paths: [{self.corpus.path}]\n"
            f"max_procs: {workers}\n"
            f"output.logstash:\n  hosts: [\"127.0.0.1:{port}\"]\n  compression_level: {level}\n", encoding="utf-8")
        return file

    def run(self, place, *arguments):
        return Running([self.enclave, "run", "--dir", place / "dir", "--once", "--json", *arguments], place)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def to_nothing(self, workers):
        place = self.place("ours")
        running = self.run(place, "--logstash", self.logstash(place, workers, "", "null { }"))
        figures = running.finish()
        self.all_read(running)
        return figures

    def all_read(self, running):
        found = json.loads(running.out.read_text(encoding="utf-8"))["flows"][0]["events_in"]
        if found != self.corpus.lines:
            raise Failure(f"{found} events were read of {self.corpus.lines} lines")

    def to_file(self, workers, filters="", fields=False, settings=JSON_EVENTS):
        place = self.place("ours")
        output = f'file {{ path => "{place}/out.json" }}'
        running = self.run(place, "--logstash", self.logstash(place, workers, filters, output, settings=settings))
        figures = running.finish()
        checks.lines(place / "out.json", self.corpus, fields)
        return figures

    def to_file_as_eight(self, workers):
        return self.to_file(workers, settings="")

    def grok_to_file(self, workers):
        return self.to_file(workers, GROK, fields=True)

    def many_filters(self, workers):
        return self.to_file(workers, (self.checkout / "bench/chain/filters.conf").read_text(encoding="utf-8"),
                            fields=True)

    def to_tcp(self, workers):
        place = self.place("ours")
        sink = Sink(self.sink, "lines", place)
        try:
            output = f'tcp {{ host => "127.0.0.1" port => {sink.port} codec => json_lines }}'
            figures = self.run(place, "--logstash", self.logstash(place, workers, "", output)).finish()
            checks.sink(sink.counted(), sink.samples, self.corpus)
        finally:
            sink.close()
        return figures

    def to_lumberjack(self, workers, level=0):
        place = self.place("ours")
        sink = Sink(self.sink, "lumberjack", place)
        try:
            file = self.filebeat(place, sink.port, level=level, workers=workers)
            figures = self.run(place, "--filebeat", file).finish()
            checks.sink(sink.counted(), sink.samples, self.corpus)
        finally:
            sink.close()
        return figures

    def to_lumberjack_packed(self, workers):
        return self.to_lumberjack(workers, level=3)

    # The receiver is measured; the sender is ours too, and ends when all is acknowledged.
    def receive(self, place, port, settings, compat):
        receiver = Running([self.enclave, "run", "--dir", place / "receiver", "--logstash", settings],
                           place / "receiver.log")
        try:
            self.wait_for(port, receiver)
            file = self.filebeat(place, port, compat=compat)
            receiver.began = time.monotonic()
            sender = Running([self.enclave, "run", "--dir", place / "sender", "--once", "--filebeat", file, "--compat",
                              compat],
                             place / "sender.log")
            while sender.alive():
                if not receiver.alive():
                    sender.kill()
                    raise Failure(f"the receiver ended: {receiver.said()}")
                time.sleep(0.02)
            if sender.process.returncode != 0:
                raise Failure(f"the sender failed: {sender.said()}")
            receiver.stop()
            return receiver.figures(sender.ended)
        finally:
            receiver.kill()

    @staticmethod
    def wait_for(port, running):
        for _ in range(500):
            if not running.alive():
                raise Failure(f"it ended: {running.said()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise Failure(f"nothing listens on port {port}")

    def from_lumberjack(self, workers):
        place, port = self.place("ours"), free_port()
        settings = self.logstash(place, workers, "", f'file {{ path => "{place}/out.json" }}',
                                 source=f'beats {{ host => "127.0.0.1" port => {port} }}')
        figures = self.receive(place, port, settings, compat=8)
        checks.lines(place / "out.json", self.corpus)
        return figures

    def original(self, workers):
        """examples/original/logstash.conf, of which only port and folder are others."""
        place, port = self.place("ours"), free_port()
        settings = self.logstash(place, workers, "", "null { }")
        text = (self.checkout / "examples/original/logstash.conf").read_text(encoding="utf-8")
        logs = place / "logs"
        logs.mkdir()
        for old, new in (("port => 5044", f'host => "127.0.0.1" port => {port}'), ("/var/log/logstash", str(logs)),
                         ("/var/log/httpd/*.log", str(self.corpus.path))):
            if old not in text:
                raise Failure(f"examples/original/logstash.conf has no {old} any more")
            text = text.replace(old, new)
        (settings / "main.conf").write_text(text, encoding="utf-8")
        figures = self.receive(place, port, settings, compat=6)
        days = sorted(logs.iterdir())
        with open(place / "all.json", "wb") as whole:  # of two days when midnight comes meanwhile
            for day in days:
                with open(day, "rb") as part:
                    shutil.copyfileobj(part, whole, 1 << 20)
        with open(place / "all.json", "rb") as whole:
            if json.loads(whole.readline()).get("service") != "httpd":
                raise Failure("mutate did not add its field")
        checks.lines(place / "all.json", self.corpus)
        return figures

    def to_archive(self, workers):
        place = self.place("ours")
        folder = place / "dir"
        folder.mkdir()
        (folder / "enclave.yaml").write_text(
            f"enclave: bench\nstate: {folder}/state\nstorage: {{endpoint: \"file://{place}/store\"}}\n",
            encoding="utf-8")
        settings = self.logstash(place, workers, "", "archive { }")
        figures = self.run(place, "--logstash", settings).finish()
        check = Running([self.enclave, "verify", "--dir", folder, "--json"], place / "verify")
        check.finish()
        logs = json.loads(check.out.read_text(encoding="utf-8"))["logs"]
        found = sum(log["records"] for log in logs)
        if found != self.corpus.lines:
            raise Failure(f"{found} records were sealed of {self.corpus.lines}")
        return figures

    def to_s3(self, workers):
        from .store import Bucket  # needs the variables of a running server
        place = self.place("ours")
        bucket = Bucket(place, f"enclave-chain-{os.getpid()}-{int(time.time() * 1000)}")
        bucket.make()
        output = (f's3 {{ endpoint => "{bucket.endpoint}" region => "{bucket.region}" bucket => "{bucket.name}" '
                  f'access_key_id => "{bucket.key}" secret_access_key => "{bucket.secret}" '
                  f'additional_settings => {{ "force_path_style" => true "ssl_ca_bundle" => "{bucket.ca}" }} '
                  f'encoding => "gzip" codec => json_lines size_file => 67108864 '
                  f'temporary_directory => "{place}/tmp" }}')
        settings = self.logstash(place, workers, "", output)
        (settings / "main.conf").chmod(0o600)
        figures = self.run(place, "--logstash", settings).finish()
        bucket.fetch_all(place / "out.json")
        checks.lines(place / "out.json", self.corpus)
        return figures
