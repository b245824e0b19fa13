"""bench/RESULTS-chain.md."""
import statistics

MEMORY_MOST = 128
SPEEDUP_LEAST = 1.8


def median(values):
    return statistics.median(list(values))


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def figure(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


class Result:
    """All runs of one row. Figures are CPU or wall seconds per GiB."""

    def __init__(self, row, gib):
        self.row, self.gib = row, gib
        self.ours = {1: [], 2: []}
        self.peers = {}
        self.limit, self.limit_what = None, ""
        self.failures = []

    def cpu(self, workers=1):
        return median(run.cpu / self.gib for run in self.ours[workers]) if self.ours[workers] else None

    def wall(self, workers=1):
        return median(run.wall / self.gib for run in self.ours[workers]) if self.ours[workers] else None

    def peak(self):
        return max((run.peak_mib for runs in self.ours.values() for run in runs), default=None)

    def peer(self, name):
        runs = self.peers.get(name)
        return median(run.cpu / self.gib for run in runs) if runs else None

    def speedup(self):
        return self.wall(1) / self.wall(2) if self.ours[1] and self.ours[2] else None


def goals(results):
    """(what, figure, wanted, met)"""
    for result in results:
        row, cpu = result.row, result.cpu()
        if cpu is None:
            yield row.what, "not measured", "", False
            continue
        if row.goal is not None:
            yield f"{row.what}: CPU s per GiB", figure(cpu), f"at most {row.goal}", cpu <= row.goal
        rsyslog = result.peer("rsyslog")
        if row.of_rsyslog and rsyslog:
            wanted = f"at least {1 / row.of_rsyslog:.0f} times"
            met = cpu <= rsyslog * row.of_rsyslog
            yield f"{row.what}: rsyslog's CPU over ours", f"{rsyslog / cpu:.1f} times", wanted, met
        if row.scales and result.speedup():
            yield (f"{row.what}: throughput of two workers over one", f"{result.speedup():.2f} times",
                   f"at least {SPEEDUP_LEAST} times", result.speedup() >= SPEEDUP_LEAST)
    peaks = [result.peak() for result in results if result.peak()]
    if peaks:
        yield ("peak memory, the largest of all", f"{max(peaks):.0f} MiB", f"below {MEMORY_MOST} MiB",
               max(peaks) < MEMORY_MOST)


def our_rows(results):
    for result in results:
        cpu, limit = result.cpu(), result.limit
        yield (result.row.what, figure(cpu), figure(result.wall()), figure(result.cpu(2)), figure(result.wall(2)),
               figure(result.speedup()), figure(result.peak(), 0), figure(limit),
               figure(cpu / limit if cpu and limit else None, 1))


def peer_rows(results, names):
    for result in results:
        cells = []
        for name in names:
            theirs, ours = result.peer(name), result.cpu()
            cells += [figure(theirs, 1), figure(theirs / ours if theirs and ours else None, 1)]
        if any(cells) or result.row.quoted:
            yield (result.row.what, figure(result.cpu()), *cells, result.row.quoted)


def render(results, machine, about):
    names = sorted({name for result in results for name in result.peers})
    lines = ["# The chain: enclave beside rsyslog and syslog-ng", "",
             f"Written by `{about['command']}` on {about['date']}. CPU seconds are user and system together, all "
             f"threads, as the kernel counts them, medians of {about['repeat']} runs in one session; "
             "memory is the largest of them. "
             f"Of each run it is checked that every line came out, in order, and each {about['every']:,}th is compared "
             "whole.", "",
             f"{about['lines']:,} lines, {about['mib']:,} MiB, of nginx's log format `combined`, made by `bench_corpus "
             f"--only nginx` with seed {about['seed']}. Corpus and outputs lie in {about['place']}: so the figures are "
             "of the programs, not of a disk.", ""]
    lines += table(("goal", "figure", "wanted", "met"),
                   [(what, value, goal, "yes" if met else "**no**") for what, value, goal, met in goals(results)])
    lines += ["", "## Machine", ""] + table(("what", "value"), list(machine.items()))
    lines += ["", "## enclave, and what the machine takes for the bytes alone", "",
              "CPU and wall in seconds per GiB of lines: with one worker on one processor, and with two on both.", ""]
    lines += table(("path", "CPU, 1", "wall, 1", "CPU, 2", "wall, 2", "faster", "peak MiB", "limit CPU", "over limit"),
                   list(our_rows(results)))
    lines += ["", "Limits: " + "; ".join(f"*{result.row.name}*: {result.limit_what}" for result in results
                                         if result.limit) + ".", ""]
    head = ["path", "enclave"]
    for name in names:
        head += [about["versions"].get(name, name), "over ours"]
    lines += ["## Peers, in the same run over the same lines", "",
              "CPU seconds per GiB. rsyslog and syslog-ng are tuned (large buffers, batches, no parsing that is not "
              "asked for) and give the same events; rsyslog parses by mmnormalize, syslog-ng by a regular "
              "expression. What is not in Debian is quoted from measurements on the same kind of "
              "machine with the same corpus.", ""]
    lines += table((*head, "quoted"), list(peer_rows(results, names)))
    for text in about["missing"] + [failure for result in results for failure in result.failures]:
        lines += ["", f"Not measured: {text}"]
    return "\n".join(lines) + "\n"
