"""The paths that are measured: who runs them, what they should cost, and what the machine takes for them alone."""
from typing import NamedTuple, Optional


class Row(NamedTuple):
    name: str
    what: str
    ours: str  # of Ours
    limit: str  # of Limits
    peers: Optional[str] = None  # of Peer; None: no peer of Debian's does it
    goal: Optional[float] = None  # CPU seconds per GiB
    of_rsyslog: Optional[float] = None  # that part of rsyslog's in the same run
    quoted: str = ""  # of peers that are not in Debian; CPU seconds per GiB
    scales: bool = False  # parsing dominates: a second worker should pay
    needs_store: bool = False


ROWS = (
    Row("nothing", "file → nothing: read, split, acknowledge", "to_nothing", "read", "to_nothing", 0.6, 1 / 12,
        "Fluent Bit 5.0 tuned 1.9, default 5.0"),
    Row("json", "file → JSON lines in a file", "to_file", "copy", "to_file", 1.3, 1 / 12,
        "Fluent Bit 5.0 tuned 4.9, default 7.6; Filebeat 7.6 77"),
    Row("json-ecs", "the same with the names of ECS", "to_file_as_eight", "copy"),
    Row("grok", "file → grok `%{COMBINEDAPACHELOG}` → JSON lines", "grok_to_file", "grok", "grok_to_file", 4.5, 1 / 10,
        "Fluent Bit 5.0 regex tuned 21.5; Filebeat 7.6 dissect 204", scales=True),
    Row("tcp", "file → JSON over TCP", "to_tcp", "copy", "to_tcp", 2.0, 1 / 12, "Fluent Bit 5.0 tuned 6.1"),
    Row("lumberjack", "file → Lumberjack 2", "to_lumberjack", "copy", None, 3.0, None, "Filebeat 7.6 tuned 63"),
    Row("lumberjack-packed", "file → Lumberjack 2, compressed", "to_lumberjack_packed", "gzip3", None, 8.0, None,
        "Filebeat 7.6 83"),
    Row("receive", "Lumberjack 2 → JSON lines", "from_lumberjack", "copy", None, 4.0),
    Row("s3", "file → gzip → S3", "to_s3", "gzip6", None, 4.0, None, "Fluent Bit 5.0 20.9", needs_store=True),
    Row("archive", "file → sealed archive (zstd, age, leaves)", "to_archive", "sealed"),
    Row("original", "the original chain: Beats → mutate → file", "original", "copy"),
    Row("thirty", "file → 30 filters → JSON lines", "many_filters", "grok", scales=True),
)
