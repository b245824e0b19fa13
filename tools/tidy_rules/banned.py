"""Calls and words that the house does not use, each with where it is allowed and what to use instead."""
import re


class Ban:
    def __init__(self, rule, pattern, instead, where=r".*", allowed=r"$^"):
        self.rule = rule
        self.pattern = re.compile(pattern)
        self.instead = instead
        self.where = re.compile(where)
        self.allowed = re.compile(allowed)

    def applies(self, path):
        return self.where.match(path) is not None and self.allowed.match(path) is None


# Tests and the benches that they work on (x_bench.h) may look at the real world: they start processes and wait.
PRODUCT = r"^(src|sim)/(?!.*(_(test|sim)\.cc|/(test_\w+|\w+_test_\w+|\w+_bench)\.h)$)"
SOURCE = r"^src/(?!.*(_test\.cc|/(test_\w+|\w+_test_\w+|\w+_bench)\.h)$)"
CPP = r".*\.(cc|h)$"
HEADER = r".*\.h$"

BANS = [
    Ban("clock", r"\b(system_clock|steady_clock|high_resolution_clock)::now\b"
        r"|(?<![\w.:>])(std::)?time\s*\(\s*(nullptr|NULL|0|&)|\b(clock_gettime|gettimeofday)\s*\(",
        "ask the Clock of the World (base/ports.h)", PRODUCT, r"^src/io/"),
    Ban("random", r"(?<![\w.:>])(s?rand|random|drand48)\s*\(\s*\)|\brandom_device\b"
        r"|\b(getrandom|getentropy|RAND_bytes)\s*\(",
        "ask the Random of the World (base/ports.h)", PRODUCT, r"^src/io/"),
    Ban("getenv", r"\b(secure_)?getenv\s*\(", "read the environment in cli/ and pass the value", PRODUCT,
        r"^src/cli/"),
    Ban("setenv", r"\b(setenv|putenv|unsetenv)\s*\(", "pass the value", PRODUCT),
    Ban("thread", r"\bstd::(jthread|thread|async)\b(?!::(id|hardware_concurrency))",
        "threads begin in io, the runtime of the pipeline, verify, search", PRODUCT,
        r"^src/(io/|cli/|pipeline/(runtime|flow/|lumberjack_link)|archive/(verify|search|parallel))"),
    Ban("detach", r"(\.|->)detach\s*\(\s*\)", "join it", CPP),
    Ban("regex", r"\bstd::(basic_)?regex\b|#\s*include\s*<regex>", "std::regex overflows the stack: parse by hand",
        CPP),
    Ban("strcpy", r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|strncpy|strncat)\s*\(",
        "use std::string, fmt::format", CPP),
    Ban("atoi", r"\b(atoi|atol|atoll|atof|sscanf|scanf)\s*\(|\bstd::sto(i|l|ll|ul|ull|f|d|ld)\s*\(",
        "use std::from_chars, which neither throws nor wraps", PRODUCT),
    Ban("shell", r"(?<![\w.:>])(std::)?(system|popen)\s*\(", "start the program with its arguments, without a shell",
        PRODUCT),
    Ban("throw", r"(?<!\w)throw\b(?!\s*\()", "return an Error", PRODUCT),
    Ban("print", r"\bstd::(cout|cerr|clog|printf|puts)\b|(?<![\w.>])(printf|puts|fprintf)\s*\(|\bfmt::print\s*\(",
        "return the text; cli/ prints", SOURCE, r"^src/(cli/|base/result\.cc)"),
    Ban("exit", r"(?<![\w.:>])(std::)?(exit|_exit|quick_exit)\s*\(", "return an Error", SOURCE, r"^src/(cli|io)/"),
    Ban("sleep", r"\bsleep_(for|until)\b|(?<![\w.>])(sleep|usleep|nanosleep)\s*\(",
        "wait for a descriptor or a condition", PRODUCT, r"^src/(io|cli)/"),
    Ban("memory", r"^(?!.*(unique_ptr|reset\()).*\bnew\s+[A-Za-z_:]+\s*[\[({;]"
        r"|(?<![\w.:>])(malloc|calloc|realloc|free)\s*\(|\bdelete(\s*\[\]\s*|\s+)[a-z_]+\s*;",
        "own by value or std::unique_ptr", SOURCE),
    Ban("const_cast", r"\bconst_cast\s*<", "change the signature", SOURCE),
    Ban("using", r"\busing\s+namespace\b", "a header names what it means", HEADER),
    Ban("parent", r'#\s*include\s*"\.\./', 'include "folder/file.h"', CPP),
    Ban("bits", r"#\s*include\s*<bits/", "include the standard header", CPP),
    Ban("syscall", r"#\s*include\s*<(unistd|fcntl|poll|signal|dirent|termios|netdb|sys/\w+|netinet/\w+|arpa/inet)\.h>",
        "only io/ makes system calls; go through the ports", PRODUCT,
        r"^src/(io/|cli/|pipeline/inputs/(stdin|journald)\.cc)"),  # no port stands for a pipe or the journal
    Ban("crypto", r"#\s*include\s*<openssl/", "use crypto/", PRODUCT, r"^src/(crypto|io)/"),
    Ban("global", r"^\s*static\s+(?!const\b|constexpr\b|constinit const\b|inline\b)[\w:<>]+[\s&*]+\w+\s*(=|;|\{)",
        "the world is an argument; there are no globals", r"^src/.*\.cc$", r".*_test\.cc$|^src/io/"),
]


def check(source):
    if not source.is_cpp:
        return
    lines = source.code.split("\n")
    for ban in BANS:
        if not ban.applies(source.path):
            continue
        for number, line in enumerate(lines, 1):
            # An include names its file in a literal, which `code` has blanked.
            text = source.lines[number - 1] if line.lstrip().startswith("#") else line
            match = ban.pattern.search(text)
            if match and not source.allows(ban.rule, number):
                yield source.finding(number, ban.rule, f"`{match.group().strip()}` is not used here: {ban.instead}")
