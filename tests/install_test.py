#!/usr/bin/env python3
"""What is installed: that it is whole, says what the programs do, exports what it should, and is
found and used by others. usage: install_test.py SOURCE BUILD COMPILER [unittest words...]"""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
COMPILER = sys.argv[3].split()
PLACE = tempfile.TemporaryDirectory(prefix="berth-installed-")
COMMANDS = ["path", "url", "status", "wait", "announce", "ensure", "replace", "list", "stop", "clean", "doctor"]


def output(*command, **options):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if run.returncode:
        raise AssertionError(f"{command[0]} ended with status {run.returncode}:\n{run.stdout}{run.stderr}")
    return run.stdout


def installed(name):
    found = list(PREFIX.rglob(name))
    assert found, f"{name} is not installed"
    return found[0]


def exported(library):
    """Names of the symbols that it defines for others."""
    lines = output("nm", "--dynamic", "--defined-only", "--demangle", library).splitlines()
    return {line.split(maxsplit=2)[2] for line in lines}


@contextlib.contextmanager
def serving(program, *options):
    """Its process and its directory, while it serves there."""
    with tempfile.TemporaryDirectory() as directory:
        service = subprocess.Popen([program, "--config-dir", directory, *options], stderr=subprocess.PIPE, text=True)
        try:
            assert "listening" in service.stderr.readline()
            yield service, pathlib.Path(directory)
        finally:
            service.terminate()
            service.wait(20)
            service.stderr.close()


class Zsh:
    """One at a terminal of its own, which tells what it offers where the tab key is pressed."""

    SETUP = """
        fpath=({functions} $fpath) path=({programs} $path)
        autoload -U compinit; compinit -u -D
        setopt extended_glob
        compadd() {{
          case " $*" in (*" -"[[:alnum:]]#[OAD]*) builtin compadd "$@"; return ;; esac
          local -a offered; builtin compadd -O offered "$@"; print -rl -- $offered >&3
          builtin compadd "$@"
        }}
        finished() {{ comppostfuncs=(finished); print -r -- = >&3 }}
        exec 3>{answers}; finished
        """

    def __init__(self):
        place = tempfile.mkdtemp()
        answers, setup = f"{place}/answers", pathlib.Path(place, "setup")
        os.mkfifo(answers)
        setup.write_text(self.SETUP.format(functions=installed("_berth").parent, programs=PREFIX / "bin", answers=answers))
        self.answers = os.open(answers, os.O_RDWR)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execvp("zsh", ["zsh", "-f", "-i"])
        os.write(self.terminal, f"source {setup}\n".encode())
        self.answer()

    def answer(self):
        text = b""
        while not text.endswith(b"=\n"):
            ready, _, _ = select.select([self.answers, self.terminal], [], [], 30)
            assert ready, f"zsh has told nothing more for 30 s after {text!r}"
            if self.answers in ready:
                text += os.read(self.answers, 4096)
            if self.terminal in ready:
                os.read(self.terminal, 4096)
        return set(text.decode().split("\n"))

    def completed(self, line):
        os.write(self.terminal, (line + "\t").encode())
        offered = self.answer()
        os.write(self.terminal, b"\x15")  # which deletes the line
        return offered

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.answers)
        os.close(self.terminal)


class Programs(unittest.TestCase):
    """Documents beside the command."""

    @classmethod
    def setUpClass(cls):
        berth = PREFIX / "bin/berth"
        cls.options = {None: cls.options_of(output(berth, "--help"))}
        for command in COMMANDS:
            cls.options[command] = cls.options_of(output(berth, command, "--help"))

    @staticmethod
    def options_of(text):
        return set(re.findall(r"(?<![\w-])--[a-z-]+", text)) - {"--"}

    def test_every_command_is_in_the_help(self):
        named = re.findall(r"^  ([a-z]+) {5,}", output(PREFIX / "bin/berth", "--help").split("Subcommands:")[1], re.M)
        self.assertEqual(named, COMMANDS)

    def test_every_command_and_option_is_in_the_manual(self):
        page = installed("berth.1").read_text().replace("\\-", "-")
        for command, options in self.options.items():
            if command:
                self.assertRegex(page, rf"(?m)^(\.B |\\fB){command}\b", f"{command} has no entry")
            for option in options:
                self.assertRegex(page, rf"(?m)^(\.BR? .*|\\fB){option}\b", f"{option} has no entry")

    def test_the_manual_names_no_option_that_is_not_there(self):
        known = set().union(*self.options.values())
        page = installed("berth.1").read_text().replace("\\-", "-").split(".SH ENVIRONMENT")[0]
        self.assertEqual(self.options_of(page) - known, set())

    @unittest.skipUnless(shutil.which("groff"), "groff is missing")
    def test_the_manuals_are_right_to_groff(self):
        for name in ("berth.1", "berth-server.json.5"):
            run = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", installed(name)], capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr), (0, ""))

    def completed_by_bash(self, line):
        words = line.split(" ")
        script = f"""
            source {installed('bash-completion') / 'completions/berth'}
            COMP_WORDS=({' '.join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}
            _berth
            printf '%s\\n' "${{COMPREPLY[@]}}" """
        return set(output("bash", "-c", script, cwd=PLACE.name).split())

    def test_bash_completes_every_command_and_option(self):
        self.assertLessEqual(set(COMMANDS), self.completed_by_bash("berth "))
        for command, options in self.options.items():
            before = f"berth {command} " if command else "berth "
            self.assertEqual(options - self.completed_by_bash(before + "--"), set(), command)
            self.assertEqual(self.completed_by_bash(f"berth --config-dir x {before.removeprefix('berth ')}--js"), {"--json"})
        self.assertIn("ls", self.completed_by_bash("berth ensure -- l"))
        self.assertNotIn("ls", self.completed_by_bash("berth ensure l"))

    @unittest.skipUnless(shutil.which("fish"), "fish is missing")
    def test_fish_completes_every_command_and_option(self):
        def completed(line):
            text = output("fish", "--no-config", "-c", f"source {installed('berth.fish')}; complete -C '{line}'")
            return {each.split("\t")[0] for each in text.splitlines()}

        self.assertLessEqual(set(COMMANDS), completed("berth "))
        for command, options in self.options.items():
            self.assertEqual(options - completed(f"berth {command or ''} --".replace("  ", " ")), set(), command)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is missing")
    def test_every_command_and_option_is_in_the_completion_of_zsh(self):
        page = installed("_berth").read_text()
        output("zsh", "-n", installed("_berth"))
        for command, options in self.options.items():
            if command:
                self.assertRegex(page, rf"(?m)^    '{command}:")
            for option in options:
                self.assertTrue(f"'{option}[" in page or f",{option}}}" in page, option)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is missing")
    @unittest.skipUnless(os.path.exists("/dev/pts/ptmx"), "there are no terminals")
    def test_zsh_completes_every_command_and_option(self):
        zsh = Zsh()
        self.addCleanup(zsh.end)
        self.assertLessEqual(set(COMMANDS), zsh.completed("berth "))
        for command, options in self.options.items():
            before = f"berth {command} " if command else "berth "
            self.assertEqual(options - zsh.completed(before + "--"), set(), command)
        self.assertIn("--now", zsh.completed("berth --config-dir x stop --"))
        self.assertNotIn("--now", zsh.completed("berth list --"))


class Libraries(unittest.TestCase):
    def prototypes(self):
        text = re.sub(r"/\*.*?\*/", "", installed("berth.h").read_text(), flags=re.S)
        return [" ".join(found.split()) for found in re.findall(r"BERTH_API ([^;{}#]+?\));", text)]

    def test_the_c_interface_is_the_one_that_is_listed(self):
        first, *listed = (SOURCE / "framework/install/c_interface.list").read_text().splitlines()
        self.assertEqual(listed, self.prototypes(),
                         "berth.h and c_interface.list differ: where more than an addition, another interface number")
        number = first.split()[1]
        self.assertIn(f"#define BERTH_C_INTERFACE {number}\n", installed("berth.h").read_text())
        library = installed("libberth-c.so").resolve()
        self.assertRegex(output("readelf", "--dynamic", library), rf"SONAME.*\[libberth-c\.so\.{number}\]")

    def test_the_c_library_exports_what_is_listed_and_nothing_else(self):
        listed = (SOURCE / "framework/install/c_interface.list").read_text().splitlines()[1:]
        names = {re.search(r"(\w+)\(", each)[1] for each in listed}
        self.assertEqual(exported(installed("libberth-c.so")), names)

    def test_the_c_library_stays_loaded(self):
        # Its threads would go on in what is unloaded.
        script = f"""if True:
            import _ctypes
            _ctypes.dlclose(_ctypes.dlopen({str(installed('libberth-c.so'))!r}, 2))
            print(open("/proc/self/maps").read())"""
        self.assertIn("libberth-c.so", output(sys.executable, "-c", script))

    def test_the_libraries_of_cxx_export_nothing_outside_berth(self):
        for name in ("libberth.so", "libberth-discovery.so"):
            others = [each for each in exported(installed(name))
                      if not re.match(r"((typeinfo|vtable|VTT|typeinfo name|guard variable|TLS \w+ function|"
                                      r".*thunk) (for|to) )?berth(::|_)", each)]
            self.assertEqual(others, [], name)

    def test_the_packages_have_the_version_of_the_build(self):
        version = output(PREFIX / "bin/berth", "--version").split()[1]
        environment = os.environ | {"PKG_CONFIG_PATH": str(installed("berth.pc").parent)}
        for name in ("berth", "berth-discovery", "berth-c"):
            self.assertEqual(output("pkg-config", "--modversion", name, env=environment).strip(), version)
        self.assertTrue(installed("libberth.so").resolve().name.endswith(".so." + version))

    def test_a_program_is_linked_statically_by_pkg_config(self):
        environment = os.environ | {"PKG_CONFIG_PATH": str(installed("berth.pc").parent)}
        flags = output("pkg-config", "--static", "--cflags", "--libs", "berth", env=environment).split()
        program = pathlib.Path(PLACE.name) / "static-hello"
        for name in ("berth", "berth-discovery"):
            flags = [str(installed(f"lib{name}.a")) if flag == "-l" + name else flag for flag in flags]
        output(*COMPILER, "-std=c++20", "-O1", SOURCE / "examples/embed/cmake/hello.cpp", "-o", program, *flags)
        self.assertNotIn("libberth", output("readelf", "--dynamic", program))
        self.assertIn("hello-server 1.0.0", output(program, "--version"))

    def test_a_hello_service_is_small(self):
        options = json.loads((BUILD / "meson-info/intro-buildoptions.json").read_text())
        if next(each["value"] for each in options if each["name"] == "unity") == "on":
            self.skipTest("a unity build links all sources of an object, needed or not")
        # In bytes: of the file, linked statically but for what Debian has as shared libraries alone, and of its
        # memory when idle.
        program = pathlib.Path(PLACE.name) / "small-hello"
        flags = [installed("libberth.a"), installed("libberth-discovery.a"), "-l:libuv_a.a", "-static-libstdc++",
                 "-static-libgcc", "-lsimdjson", "-lfmt", "-ltomlplusplus"]
        output(*COMPILER, "-std=c++20", "-O2", "-I", PREFIX / "include", SOURCE / "examples/embed/cmake/hello.cpp",
               "-Wl,--gc-sections", "-o", program, *flags)
        output("strip", program)
        self.assertLess(program.stat().st_size, 3_000_000)
        with serving(program) as (service, _):
            status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
        self.assertLess(int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024, 8_000_000)


class Headers(unittest.TestCase):
    """What others include."""

    @classmethod
    def setUpClass(cls):
        include = PREFIX / "include"
        cls.names = sorted(str(path.relative_to(include)) for path in include.rglob("*.h*"))
        cls.text = "".join(f"#include <{name}>\n" for name in cls.names)

    def compile(self, *words, text=None):
        return output(*COMPILER, "-I", PREFIX / "include", *words, "-x", "c++", "-", input=text or self.text)

    def test_they_parse_in_cxx20_and_cxx23_with_and_without_rtti(self):
        strict = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wpedantic", "-Werror", "-fsyntax-only"]
        for standard in ("c++20", "c++2b"):
            for rtti in ("-frtti", "-fno-rtti"):
                self.compile("-std=" + standard, rtti, *strict)

    def test_those_of_discovery_need_neither_libuv_nor_coroutines(self):
        for name in self.names:
            text = (PREFIX / "include" / name).read_text()
            if "uv.h" in text or "<coroutine>" in text:
                self.assertRegex(name, "berth/(io|coro)/", name)

    def ours(self, preprocessed):
        """The lines that stand in our headers."""
        here = False
        for line in preprocessed.splitlines():
            if marker := re.match(r'# \d+ "([^"]*)"', line):
                here = str(PREFIX) in marker[1]
            elif here:
                yield line

    def test_macros_begin_with_berth(self):
        macros = [line.split()[1].split("(")[0] for line in self.ours(self.compile("-std=c++20", "-E", "-dD"))
                  if line.startswith("#define ")]
        self.assertGreater(len(macros), 5)
        self.assertEqual([name for name in macros if not name.startswith("BERTH_")], [])

    def test_nothing_is_outside_berth(self):
        text = "\n".join(line for line in self.ours(self.compile("-std=c++20", "-E")) if not line.startswith("#"))
        text = re.sub(r'"(\\.|[^"\\])*"', '""', text)
        outside, depth, statement = [], 0, ""
        for piece in re.split(r"([{};])", text):
            if piece == "{":
                depth += 1
            if depth == 0 and piece not in ("{", "}"):
                statement += piece
            if piece == "{" and depth == 1 and re.fullmatch(r'\s*extern ""\s*', statement):
                depth, statement = 0, ""  # goes on with what is in it
            if (piece == ";" or piece == "{") and depth <= 1 and statement.strip():
                head, statement = " ".join(statement.split()), ""
                if not re.match(r"(inline )?namespace berth\b|\w* ?struct uv_loop_s ?;|;$", head):
                    outside.append(head)
            if piece == "}":
                depth = max(depth - 1, 0)
        named = [head for head in outside if not re.search(r"\bberth_\w+", head)]
        self.assertEqual(named, [])
        self.assertGreater(len(outside), 20)  # the functions of C

    def test_none_brings_names_of_others_in(self):
        for name in self.names:
            found = re.findall(r"^using [^=;]*;|using namespace [^;]*;", (PREFIX / "include" / name).read_text(), re.M)
            self.assertEqual(found, [], name)


    @unittest.skipUnless(shutil.which("doxygen"), "doxygen is missing")
    def test_the_reference_is_made_without_a_warning(self):
        output("ninja", "-C", BUILD, "reference")
        self.assertIn("Looks a server up", (BUILD / "reference/html/port__file_8hpp.html").read_text())


class PortFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import jsonschema
        except ImportError:
            raise unittest.SkipTest("python3-jsonschema is missing")
        schema = json.loads(installed("server.schema.json").read_text())
        kind = jsonschema.Draft202012Validator
        kind.check_schema(schema)
        cls.validator = kind(schema)

    def test_what_a_service_publishes_is_valid(self):
        with serving(PREFIX / "bin/pm-server", "--require-token") as (_, directory):
            record = json.loads((directory / "server.json").read_text())
        self.validator.validate(record)
        known = set(self.validator.schema["properties"])
        self.assertLessEqual(set(record), known)
        self.assertLessEqual({"pid", "token", "process", "lock"}, set(record))

    def test_it_refuses_what_berth_refuses_and_takes_what_it_takes(self):
        good = {"pid": 1, "port": 8080, "host": "::1", "started_at": "2026-01-31T08:15:30Z", "version": ""}
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "server.json"
            for change, right in (({}, True), ({"unknown": [1]}, True), ({"pid": 0}, False), ({"pid": 2**32}, False),
                                  ({"port": 0}, False), ({"port": 65536}, False), ({"port": "1"}, False),
                                  ({"host": ""}, False), ({"host": "a\nb"}, False), ({"version": None}, False),
                                  ({"host": "a b"}, False), ({"host": "fe80::1%eth0"}, True), ({"host": "[::1]"}, False),
                                  ({"version": "\x1b"}, False), ({"scheme": "a b"}, False), ({"scheme": "h2c"}, True),
                                  ({"started_at": 5}, False)):
                record = good | change
                path.write_text(json.dumps(record))
                path.chmod(0o600)
                status = subprocess.run([PREFIX / "bin/berth", "--config-dir", directory, "status"],
                                        capture_output=True).returncode
                self.assertEqual(status != 1, right, record)
                self.assertEqual(self.validator.is_valid(record), right, record)


class Subproject(unittest.TestCase):
    def test_only_the_library_is_built_as_a_subproject(self):
        project = pathlib.Path(PLACE.name) / "project"
        shutil.copytree(SOURCE / "examples/embed/meson", project)
        (project / "subprojects/berth.wrap").unlink()
        copy = project / "subprojects/berth"
        shutil.copytree(SOURCE / "framework", copy / "framework")
        for name in ("meson.build", "meson_options.txt"):
            shutil.copy(SOURCE / name, copy / name)
        build = project / "build"
        # Without run-time type information, which the library does not need.
        environment = os.environ | {"PKG_CONFIG_PATH": ""}
        output("meson", "setup", build, project, "--buildtype=plain", "-Dcpp_rtti=false", "-Dberth:cpp_rtti=false",
               "--force-fallback-for=berth", env=environment)
        targets = json.loads(output("meson", "introspect", "--targets", build))
        self.assertEqual({target["name"] for target in targets}, {"berth", "berth-c-objects", "berth-discovery", "hello-ensure"})
        self.assertEqual(json.loads(output("meson", "introspect", "--installed", build)), {})
        output("ninja", "-C", build)
        self.assertEqual(subprocess.run([build / "hello-ensure"]).returncode, 2)


class Embedding(unittest.TestCase):
    def test_the_projects_of_examples_embed(self):
        run = subprocess.run(["bash", SOURCE / "examples/embed/run.sh", PREFIX], text=True, capture_output=True)
        print(run.stdout)
        self.assertEqual(run.returncode, 0, run.stderr)


class Container(unittest.TestCase):
    @unittest.skipUnless(shutil.which("dpkg-query"), "this is no Debian system")
    def test_the_image_has_the_libraries_of_its_service(self):
        image = (SOURCE / "examples/embed/docker/Dockerfile").read_text().split("\nFROM ")[-1]
        # Those of the image that it is made from.
        packages = set(image.split()) | {"libc6", "libgcc-s1", "libstdc++6"}
        for library in re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "--dynamic", PREFIX / "bin/pm-server")):
            owner = output("dpkg-query", "--search", f"*/{library}").split(":")[0]
            self.assertIn(owner, packages, library)


if __name__ == "__main__":
    output("meson", "install", "-C", BUILD, "--no-rebuild", env=os.environ | {"DESTDIR": PLACE.name})
    PREFIX = next(path for path in pathlib.Path(PLACE.name).rglob("bin/berth")).parent.parent
    os.environ["TMPDIR"] = PLACE.name
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
