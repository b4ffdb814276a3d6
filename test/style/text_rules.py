# SPDX-License-Identifier: Apache-2.0
"""Rules that need nothing but the text of one file."""
import re

EL1 = ("kernel", "arch", "ksec", "platform")
MAX_COLUMNS = 100
MAX_LINES_EL1 = 500
MAX_LINES = 900
SPDX = "SPDX-License-Identifier: Apache-2.0"
NEEDS_SPDX = {".hpp", ".cpp", ".h", ".c", ".S", ".py", ".sh", ".dts", ".dtsi", ".ld", ".ini"}
FIXED_WIDTH = {".hpp", ".cpp", ".h", ".c", ".S", ".idl", ".cdl", ".edl"}

CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")
MARKER = re.compile(r"\b(TODO|FIXME|XXX)\b")
# Headers whose names and two languages existing programs decide.
FOREIGN_HEADERS = "sdk/compat/include"
SNAKE_FILE = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\.([a-z]+|S)$")
LOCAL_PATH = re.compile(r"(/home/|/root/|/Users/|(?<![\w.])/work/|/tmp/w\b)")
PACKAGE_HOST = re.compile(
    r"(https?://[^\s\"'>)]*(debian|ubuntu|pypi|npmjs|artifactory|nexus|mirror|registry|proxy)"
    r"|\b(deb|ftp|archive|security)\.(debian|ubuntu)\.(org|com))", re.IGNORECASE)
LOCAL_STATIC = re.compile(
    r"^\s{4,}(static|thread_local)\s+(?!constexpr\b|consteval\b|inline\b|constinit\b)"
    r"[^()]*(=|;|\{)")
PRAGMA_ONCE = re.compile(r"^#pragma once$")

# A comment that reads like a statement: ends in ; { or } and has the punctuation of code. Indented
# comment text (three spaces and more) is an example in prose and allowed.
CODE_COMMENT = re.compile(
    r"^\s*(//(?!/)|#(?=\s))\s{0,2}(?!\s)"
    r"(?=.*(\w\s*\(.*\)|[\w\]]\s*=\s*[\w({\"]|^\W*(return|break|else|if|for|while|switch)\b))"
    r".*(;|\{|^\W*\})\s*$")


def check(source):
    """All violations of one file."""
    yield from check_head(source)
    yield from check_size(source)
    yield from check_names(source)
    if source.is_below("test/style"):
        return  # the rules themselves and their cases name what they look for
    yield from check_markers(source)
    if source.is_code():
        yield from check_code(source)


def check_head(source):
    wants = source.suffix in NEEDS_SPDX or source.name == "meson.build" or source.suffix == ""
    if wants and not any(SPDX in line for line in source.lines[:1]):
        is_script = bool(source.lines) and source.lines[0].startswith("#!")
        if not (is_script and any(SPDX in line for line in source.lines[1:2])):
            yield source.violation(1, "spdx", f"the first line must say '{SPDX}'")
    if source.suffix == ".hpp" or (source.suffix == ".h" and source.is_below(*EL1)):
        if not any(PRAGMA_ONCE.match(line) for line in source.lines):
            yield source.violation(1, "pragma-once", "a header must have '#pragma once'")


def check_size(source):
    if source.suffix in FIXED_WIDTH:
        for number, line in enumerate(source.lines, 1):
            if len(line.expandtabs(8)) > MAX_COLUMNS:
                yield source.violation(number, "columns",
                                       f"{len(line)} columns; {MAX_COLUMNS} are allowed")
    if source.is_code():
        limit = MAX_LINES_EL1 if source.is_below(*EL1) else MAX_LINES
        if len(source.lines) > limit:
            yield source.violation(limit + 1, "length",
                                   f"{len(source.lines)} lines; {limit} are allowed: split it")


def check_names(source):
    if source.is_code() and not source.is_below("sdk/posix", FOREIGN_HEADERS, "test/style") \
            and not SNAKE_FILE.match(source.name):
        yield source.violation(1, "file-name", "file names are snake_case")


def check_markers(source):
    if source.suffix == ".md" and not source.is_below("docs"):
        return
    for number, line in enumerate(source.lines, 1):
        if found := MARKER.search(line):
            yield source.violation(number, "marker", f"{found.group(1)}: decide, or open an issue")
        if found := LOCAL_PATH.search(line):
            yield source.violation(number, "local-path", f"path of one machine: {found.group(0)}")
        if found := PACKAGE_HOST.search(line):
            yield source.violation(number, "package-host", f"host of packages: {found.group(0)}")


def check_code(source):
    yield from check_conditionals(source)
    allowed = cast_allow(source.root)
    in_block = False
    for number, line in enumerate(source.lines, 1):
        text = line.split("//")[0] if "//" in line else line
        if "/*" in text and "*/" not in text:
            in_block = True
        if in_block:
            in_block = "*/" not in text
            continue
        if "reinterpret_cast<" in text and source.path not in allowed \
                and source.is_below(*EL1, "services", "sdk"):
            yield source.violation(number, "cast",
                                   "reinterpret_cast in a file not listed in cast_allow.txt")
        if source.is_below(*EL1) and source.suffix == ".cpp" and LOCAL_STATIC.match(text):
            yield source.violation(number, "static", "no function-local statics at EL1")
        if source.suffix != ".S" and CODE_COMMENT.match(line):
            yield source.violation(number, "dead-code", "commented-out code")


def check_conditionals(source):
    if source.is_below("arch", "platform", FOREIGN_HEADERS):
        return
    depth_of_assembler = []  # for each open conditional: does it ask for the assembler?
    for number, line in enumerate(source.lines, 1):
        found = CONDITIONAL.match(line)
        if not found:
            continue
        word = found.group(1)
        if word in ("if", "ifdef", "ifndef"):
            shared = source.suffix == ".h" and "__ASSEMBLER__" in line
            depth_of_assembler.append(shared)
        asks = depth_of_assembler and depth_of_assembler[-1]
        if word == "endif" and depth_of_assembler:
            depth_of_assembler.pop()
        if not asks:
            yield source.violation(number, "conditional",
                                   f"#{word} outside arch/ and platform/: choose by file")


def cast_allow(root):
    path = root / "test/style/cast_allow.txt"
    if path not in cast_allow.cache:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        cast_allow.cache[path] = {line.split("#")[0].strip() for line in lines} - {""}
    return cast_allow.cache[path]


cast_allow.cache = {}


def check_diagnostics(root, sources):
    """Every permanent number of the compilers has a fixture that provokes it."""
    fixtures = set()
    for path in sorted((root / "test/golden").rglob("*")):
        fixtures.update(re.findall(r"TS\d{4}", path.name))
    for source in sources:
        if source.suffix != ".def":
            continue
        seen = {}
        for number, line in enumerate(source.lines, 1):
            found = re.match(r"TESSERA_DIAGNOSTIC\((\d+),", line)
            if not found:
                continue
            code = f"TS{found.group(1)}"
            if code in seen:
                yield source.violation(number, "diagnostic", f"{code} stands in line {seen[code]}")
            seen[code] = number
            if code not in fixtures:
                yield source.violation(number, "diagnostic",
                                       f"{code} has no fixture in test/golden")
