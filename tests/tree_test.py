#!/usr/bin/env python3
"""What must hold of the sources themselves. usage: tree_test.py ROOT COMPILER [headers|layers|lint|matrix|guide]..."""
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(sys.argv[1]).resolve()
COMPILER = sys.argv[2].split()
FRAMEWORK = ROOT / "framework"
# Nothing includes what stands to the right of it.
LAYERS = ["base", "coro", "io", "record", "store", "liveness", "discovery", "config", "client", "plugin", "service",
          "c", "plugins", "cli"]
# What needs neither libuv nor coroutines.
SYNCHRONOUS = {"base", "record", "store", "liveness", "discovery", "config"}


def sources(*folders):
    for folder in folders:
        yield from sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".hpp", ".cpp"))


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


def headers():
    """Every header compiles alone."""
    def alone(header):
        run = subprocess.run(
            COMPILER + ["-std=c++20", "-fsyntax-only", "-I", str(FRAMEWORK), "-x", "c++", "-"],
            input=f'#include "{header}"\n', capture_output=True, text=True)
        return None if run.returncode == 0 else f"{header.relative_to(ROOT)}: {run.stderr[:600]}"

    found = [p for p in sources("framework") if p.suffix == ".hpp"]
    with ThreadPoolExecutor(2) as pool:
        return [fault for fault in pool.map(alone, found) if fault]


def layers():
    """No include points up the layers; only io/ includes libuv; the synchronous core is free of both."""
    faults = []
    for path in sources("framework"):
        relative = path.relative_to(FRAMEWORK / "berth")
        here = relative.parts[0]
        if here == "berth.hpp":  # all of it, for those who write services
            continue
        for name in includes(path):
            if name == "uv.h" and here != "io":
                faults.append(f"{relative}: only io/ may include uv.h")
            if not name.startswith("berth/"):
                continue
            there = "c" if name == "berth/berth.h" else name.split("/")[1]
            if LAYERS.index(there) > LAYERS.index(here):
                faults.append(f"{relative}: {here} is below {there}, and includes {name}")
            if here in SYNCHRONOUS and there in ("coro", "io"):
                faults.append(f"{relative}: the synchronous core includes {name}")
    return faults


# Shapes that GCC 12 compiles wrong, a line at a time:
# name what you await, make no temporary in an await expression, bind no structure to one.
LINT = {
    "await in a condition": r"\b(if|while|switch)\s*\(([^;)]*|[^;]*\([^;]*)co_await",
    "await in ?:": r"\?[^:;]*co_await|co_await[^;]*\?[^;:]*:[^;]*co_await",
    "lambda in an await": r"co_await\s[^;]*\[\s*(?!\s*\]|&|this\b)[^\]]+\]\s*(\(|\{|->)",
    "braces in an await": r"co_await\s[^;]*[\(,]\s*\{",
    "binding of an await": r"auto\s*&{0,2}\s*\[[^\]]+\]\s*=\s*co_await",
    "await in a list": r"\{[^{};]*co_await[^{};]*,",
}


def lint():
    """No line has a shape that GCC 12 compiles wrong."""
    faults = []
    for path in sources("framework", "examples", "bench", "tests"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
            for name, pattern in LINT.items():
                if re.search(pattern, code):
                    faults.append(f"{path.relative_to(ROOT)}:{number}: {name}: {line.strip()}")
    return faults


AWAITABLE = re.compile(r"^\s*(?:inline |static |friend |template <.*> )*"
                       r"(?:[\w:]*awaiter(?:<[^>]*>)?|task<.*>|auto) (\w+)\((?!\))")
NOT_AWAITED = {"as_task", "yield_value", "keep"}  # helpers


def awaitables():
    """What can be awaited, by its public headers: functions, and members of classes as class::member."""
    found = set()
    for path in sources("framework"):
        relative = path.relative_to(FRAMEWORK / "berth")
        # A started command is a part of ensure, which has its row.
        wanted = relative.parts[0] in ("coro", "io", "client") and relative.name != "started_command.hpp"
        if not wanted or path.suffix != ".hpp":
            continue
        scope, public = "", True
        for line in path.read_text().splitlines():
            opened = re.match(r"(?:class|struct) (?:\[\[nodiscard\]\] )?(\w+)", line)
            if opened and not line.rstrip().endswith(";"):
                scope, public = opened[1], line.startswith("struct")
            elif line.startswith("}"):
                scope, public = "", True
            elif re.match(r" (public|private|protected):", line):
                public = "public" in line
            match = AWAITABLE.match(line.replace("()", "( )"))
            if not match or not public or match[1] in NOT_AWAITED or "awaiter" in scope or "promise" in scope:
                continue
            space = "async::" if relative.name.startswith("async") else ""
            found.add(space + (scope + "::" if scope else "") + match[1])
    return found


def matrix():
    """Every awaitable has its row in the cancel matrix."""
    text = "".join(path.read_text() for path in sources("tests/cancel_matrix"))
    rows = set(re.findall(r'^ROW\(\w+, \w+, "([^"]+)"', text, re.M))
    return [f"{name} has no row in tests/cancel_matrix/" for name in sorted(awaitables() - rows)]


def guide():
    """What the guide and the README show of C++ stands in programs that are compiled and run."""
    def stripped(text):
        return [line for line in (re.sub(r"\s*//.*", "", line).strip() for line in text.splitlines()) if line]

    def stands_in(piece, whole):
        return any(whole[i:i + len(piece)] == piece for i in range(len(whole)))

    programs = [stripped(path.read_text()) for path in sources("examples")]
    faults = []
    for page in ("framework/GUIDE.md", "README.md"):
        for block in re.findall(r"```cpp\n(.*?)```", (ROOT / page).read_text(), re.S):
            piece = stripped(block)
            if not any(stands_in(piece, program) for program in programs):
                faults.append(f"{page}: stands in no example: {piece[0]}")
    return faults


def main():
    failed = 0
    checks = {check.__name__: check for check in (headers, layers, lint, matrix, guide)}
    chosen = sys.argv[3:] or list(checks)
    for name in chosen:
        faults = checks[name]()
        print(f"{'FAILED' if faults else 'ok'}: {checks[name].__doc__}")
        for fault in faults:
            print("  " + fault)
        failed += bool(faults)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
