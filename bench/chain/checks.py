"""Whether what came out is what went in. A figure counts only when it is."""
import itertools
import json
import re

from .process import Failure

EVERY = 4096  # each line of which the number is a multiple is compared whole

COMBINED = re.compile(r'(?P<clientip>\S+) (?P<ident>\S+) (?P<auth>\S+) \[(?P<timestamp>[^\]]+)\] "(?P<verb>\S+) '
                      r'(?P<request>\S+) HTTP/(?P<httpversion>[\d.]+)" (?P<response>\d+) (?P<bytes>\d+) '
                      r'"(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"')


class Corpus:
    def __init__(self, path):
        self.path = path
        self.bytes = path.stat().st_size
        self.lines = count_lines(path)
        with open(path, "rb") as file:
            self.samples = [line.rstrip(b"\n").decode() for line in itertools.islice(file, 0, None, EVERY)]


def count_lines(path):
    with open(path, "rb", buffering=0) as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def same_event(text, line, number, fields):
    try:
        event = json.loads(text)
    except ValueError as error:
        raise Failure(f"line {number} of the output is no JSON: {error}: {text[:200]!r}") from error
    if event.get("message") != line:
        raise Failure(f"line {number}: {event.get('message')!r} came out for {line!r}")
    if "tags" in event and any("failure" in tag for tag in event["tags"]):
        raise Failure(f"line {number} has tags {event['tags']}")
    wanted = COMBINED.match(line).groupdict() if fields else {}
    for name, value in wanted.items():
        # The legacy patterns keep the quotes of the last two; some programs make numbers of digits.
        if str(event.get(name)).strip('"') != value:
            raise Failure(f"line {number}: field {name} is {event.get(name)!r}, not {value!r}")


def lines(path, corpus, fields=False):
    """A file with one JSON object for each line of the corpus, in its order."""
    if not path.exists():
        raise Failure(f"nothing was written to {path}")
    found = count_lines(path)
    if found != corpus.lines:
        raise Failure(f"{found} lines came out of {corpus.lines}")
    with open(path, "rb") as file:
        texts = itertools.islice(file, 0, None, EVERY)
        for index, (text, line) in enumerate(zip(texts, corpus.samples, strict=True)):
            same_event(text, line, index * EVERY, fields)


def sink(counted, samples, corpus):
    """What bench_sink counted and wrote down."""
    if not counted["good"] or counted["events"] != corpus.lines:
        raise Failure(f"{counted['events']} events arrived of {corpus.lines} (good: {counted['good']})")
    with open(samples, "rb") as file:
        for index, (text, line) in enumerate(zip(file, corpus.samples, strict=True)):
            number, _, event = text.partition(b"\t")
            if int(number) != index * EVERY:
                raise Failure(f"sample {index} has number {int(number)}")
            same_event(event, line, index * EVERY, False)
