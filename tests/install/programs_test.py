"""The installed programs, and what documents and completes them."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import unittest

from install.installation import SOURCE, PLACE, PREFIX, output, installed, serving

COMMANDS = ["path", "url", "status", "wait", "announce", "ensure", "replace", "list", "stop", "clean", "doctor"]


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


class Container(unittest.TestCase):
    @unittest.skipUnless(shutil.which("dpkg-query"), "this is no Debian system")
    def test_the_image_has_the_libraries_of_its_service(self):
        image = (SOURCE / "examples/embed/docker/Dockerfile").read_text().split("\nFROM ")[-1]
        # Those of the image that it is made from.
        packages = set(image.split()) | {"libc6", "libgcc-s1", "libstdc++6"}
        for library in re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "--dynamic", PREFIX / "bin/pm-server")):
            owner = output("dpkg-query", "--search", f"*/{library}").split(":")[0]
            self.assertIn(owner, packages, library)
