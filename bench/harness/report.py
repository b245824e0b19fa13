"""bench/RESULTS.md."""

_NAMES = {
    "read": "sequential read, 1 MiB at a time, page cache warm",
    "scan": "newline scan",
    "zstd": "zstd at our level, frames of 1 MiB",
    "sha256": "SHA-256",
    "chacha20": "ChaCha20-Poly1305, chunks of 64 KiB",
}


def mib(bytes_):
    return f"{bytes_ / (1 << 20):,.0f} MiB"


def goals(figures):
    """(what, figure, goal, met)"""
    one, many, idle = figures["limits and one file"], figures["many files"], figures["idle"]
    ratio = one["cpu"] / one["limit"]
    rows = [
        ("CPU of file → sealed object, over the sum of the limits", f"{ratio:.2f}", "at most 1.5", ratio <= 1.5),
        ("peak memory, one file", f"{one['peak_mib']:.0f} MiB", "at most 96 MiB", one["peak_mib"] <= 96),
        (f"peak memory, {many['files']:,} files", f"{many['peak_mib']:.0f} MiB", "at most 160 MiB",
         many["peak_mib"] <= 160),
        (f"idle CPU, {idle['files']:,} quiet files", f"{idle['percent']:.2f} %", "under 0.5 %", idle["percent"] < 0.5),
    ]
    for check in figures["verify"]:
        share = 100 * check["sha_wall"] / check["wall"]
        rows.append((f"verify, against SHA-256 alone: {check['what']}", f"{share:.0f} %", "at least 80 %", share >= 80))
    return rows


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def verify_rows(checks):
    for check in checks:
        for name, wall, cpu in (("SHA-256 alone", check["sha_wall"], check["sha_cpu"]),
                                ("enclave-verify", check["wall"], check["cpu"])):
            yield (name, check["what"], mib(check["bytes"]), f"{wall:.3f} s", f"{cpu:.3f} s",
                   f"{check['bytes'] / (1 << 20) / wall:,.0f} MiB/s")


def render(figures, machine, wanted, now):
    one, many, idle = figures["limits and one file"], figures["many files"], figures["idle"]
    lines = ["# Results", "",
             f"Written by `make bench` on {now:%Y-%m-%d}. CPU seconds are user and system together, all threads, as "
             f"the kernel counts them; medians of {wanted.repeat} runs, memory the largest of them.", ""]
    lines += table(("goal", "figure", "wanted", "met"),
                   [(what, figure, goal, "yes" if met else "**no**") for what, figure, goal, met in goals(figures)])
    lines += ["", "## Machine", ""] + table(("what", "value"), list(machine.items()))
    lines += ["", "## One file", "",
              f"{mib(one['bytes'])}, {one['lines']:,} lines: nginx access and error logs, sshd and sudo, and debug "
              f"logs of nova, keystone and neutron, made by `bench_corpus` with seed {wanted.seed}. The limits are "
              "measured in the same run over the same bytes, each part alone.", ""]
    lines += table(("what", "CPU s per GiB", "wall s per GiB"),
                   [(_NAMES[part], f"{value:.2f}", "") for part, value in one["limits"].items()]
                   + [("**sum of the limits**", f"**{one['limit']:.2f}**", ""),
                      ("**`enclave run --once`**", f"**{one['cpu']:.2f}**", f"{one['wall']:.2f}")])
    runs = ", ".join(f"{cpu:.2f}" for cpu in one["all_cpu"])
    lines += ["", f"The runs: {runs} CPU s per GiB. zstd alone makes "
              f"{mib(one['compressed'])} of them; the store holds {mib(one['stored'])}, with sequence number, "
              "times, boot and source of every record, encrypted.", "", "## Many files", ""]
    lines += table(("what", "figure"), [
        (f"{many['files']:,} files, {many['mib']} MiB together: CPU per GiB", f"{many['cpu']:.2f} s"),
        ("wall", f"{many['wall']:.2f} s"),
        ("peak memory", f"{many['peak_mib']:.0f} MiB"),
        (f"`enclave run` idle for {idle['seconds']:.0f} s after that", f"{idle['percent']:.2f} % of one core"),
        ("its peak memory", f"{idle['peak_mib']:.0f} MiB")])
    threads = figures["verify"][0]["threads"]
    lines += ["", "## Verify", "",
              f"Both with {threads} threads over the same bytes of the store, page cache warm. `enclave-verify` "
              "checks signatures, tree, tiles and the SHA-256 of every object; it has no identity, so it does not "
              "decrypt.", ""]
    lines += table(("program", "bytes", "size", "wall", "CPU", "throughput"), list(verify_rows(figures["verify"])))
    return "\n".join(lines) + "\n"
