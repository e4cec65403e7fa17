#!/usr/bin/env python3
"""A repository in which everything is hostile: no command runs its code, follows a link out of it, prints it raw,
signals what it names, hangs or ends by a signal. usage: hostile_test.py BERTH PM_SERVER PLUGIN"""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

BERTH, PM_SERVER, PLUGIN = (os.path.realpath(path) for path in sys.argv[1:4])
URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://(\[[0-9A-Fa-f:.]+(%25[A-Za-z0-9._~-]+)?\]|[A-Za-z0-9._-]+):\d+(/\?token=[A-Za-z0-9._~%-]*)?$")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")
COMMANDS = [["path"], ["url"], ["status"], ["wait", "--timeout", "0.2"], ["list"], ["doctor"], ["clean"],
            ["stop", "--timeout", "0.5"], ["ensure", "--timeout", "2", "--", PM_SERVER],
            ["ensure", "--timeout", "2", "--exact-version", "7", "--", PM_SERVER],
            ["replace", "--timeout", "2", "--", PM_SERVER], ["announce", "--port", "9", "--", "true"]]
ESCAPES = "\x1b]0;owned\x07\x1b[2J\n\r\u009b31m\u202e"


def record(**fields):
    return {"pid": 999999, "port": 8080, "host": "127.0.0.1", "started_at": "2020-01-01T00:00:00Z", "version": "1", **fields}


class Hostile(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="berth-hostile-")
        self.repository = os.path.join(self.top, "clone")
        self.pm = os.path.join(self.repository, ".pm")
        os.makedirs(os.path.join(self.repository, ".git"))
        os.makedirs(self.pm, 0o755)
        self.victim = os.path.join(self.top, "victim")
        with open(self.victim, "w") as file:
            file.write("alias ll='ls -l'\n")
        self.marker = os.path.join(self.top, "marker")
        self.innocent = subprocess.Popen(["sleep", "300"])
        self.addCleanup(self.end)

    def end(self):
        self.innocent.kill()
        self.innocent.wait()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd").startswith(self.repository):
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass
        shutil.rmtree(self.top, ignore_errors=True)

    def write(self, name, content):
        with open(os.path.join(self.pm, name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))

    def everything_else(self):
        """What stands beside the file that a case is about."""
        shutil.copy(PLUGIN, os.path.join(self.pm, "evil.so"))
        self.write("config.toml", f'registry = "etcd://127.0.0.1:1"\n[[plugin]]\npath = "evil.so"\nmarker = "{self.marker}"\n')
        os.symlink(self.victim, os.path.join(self.pm, "server.log"))
        os.mkfifo(os.path.join(self.pm, "fifo.json"))
        os.symlink(self.victim, os.path.join(self.pm, "link.json"))
        self.write("escapes.json", json.dumps(record(pid=1, version=ESCAPES, metadata={ESCAPES: ESCAPES})))
        for name in ("berth-full", "berth-registry.so", "pm-server", "sh"):
            path = os.path.join(self.repository, name)
            with open(path, "w") as file:
                file.write(f"#!/bin/sh\ntouch {self.marker}\n")
            os.chmod(path, 0o755)

    def walk(self, name):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PM_", "BERTH_"))}
        environment.update(HOME=self.top, XDG_CONFIG_HOME=os.path.join(self.top, "none"),
                           BERTH_LIST_DIR=os.path.join(self.top, "list"))
        before = os.stat(self.victim)
        for command in COMMANDS:
            for options in ([], ["--json"]):
                with self.subTest(file=name, command=" ".join(options + command)):
                    ran = subprocess.run([BERTH, *options, *command], cwd=self.repository, env=environment,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
                    self.check(command, options, ran)
                    after = os.stat(self.victim)
                    self.assertEqual((before.st_size, before.st_mtime_ns), (after.st_size, after.st_mtime_ns), "a link was followed")
                    self.assertFalse(os.path.exists(self.marker), "its code was run")
                    self.assertIsNone(self.innocent.poll(), "an innocent process was signalled")

    def check(self, command, options, ran):
        self.assertIn(ran.returncode, range(6), ran.stderr)
        out, err = ran.stdout.decode("utf-8"), ran.stderr.decode("utf-8")
        for text in (out, err):
            self.assertIsNone(CONTROL.search(text), repr(text))
        if options:
            document = json.loads(out) if out.strip() else None
            self.assertIsNotNone(document, "a failure has its JSON document as well")
            url = document.get("url") if isinstance(document, dict) else None
        else:
            url = out.rstrip("\n") if command[0] in ("url", "wait", "ensure", "replace") and ran.returncode == 0 else None
        if url:
            self.assertRegex(url, URI)

    def test_a_port_file_can_be_anything(self):
        path = os.path.join(self.pm, "server.json")
        cases = {
            "a link": lambda: os.symlink(self.victim, path),
            "a link to nothing": lambda: os.symlink("/nonexistent/x", path),
            "a FIFO": lambda: os.mkfifo(path),
            "a directory": lambda: os.mkdir(path),
            "600 MB": lambda: (self.write("server.json", ""), os.truncate(path, 600 << 20)),
            "nested brackets": lambda: self.write("server.json", b"[" * 100_000),
            "nested below 64 KiB": lambda: self.write("server.json", json.dumps(record())[:-1] + ', "x": ' + "[" * 60_000),
            "empty": lambda: self.write("server.json", ""),
            "pid 1": lambda: self.write("server.json", json.dumps(record(pid=1))),
            "an innocent pid": lambda: self.write("server.json", json.dumps(record(pid=self.innocent.pid))),
            "the caller's pid": lambda: self.write("server.json", json.dumps(record(pid=os.getpid()))),
            "escapes": lambda: self.write("server.json", json.dumps(record(pid=1, version=ESCAPES, started_at=ESCAPES, token=ESCAPES, metadata={ESCAPES: ESCAPES}))),
            "escapes in the host": lambda: self.write("server.json", json.dumps(record(pid=1, host="a" + ESCAPES))),
            "words in the host": lambda: self.write("server.json", json.dumps(record(pid=1, host=f"x -o {self.marker} --url y"))),
            "a scheme of words": lambda: self.write("server.json", json.dumps(record(pid=1, scheme=f"http://x -o {self.marker} "))),
            "an endpoint of escapes": lambda: self.write("server.json", json.dumps(record(pid=1, endpoints={ESCAPES: {"host": ESCAPES, "port": 1, "scheme": ESCAPES}}))),
            "bytes that are no UTF-8": lambda: self.write("server.json", b'{"pid": 1, "port": 80, "host": "\xff\xfe", "started_at": "", "version": "\xe9"}'),
        }
        if os.geteuid() == 0:
            cases["a device"] = lambda: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        self.everything_else()
        for name, make in cases.items():
            make()
            self.walk(name)
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.remove(path)

    def test_what_is_beside_the_port_file_can_be_anything(self):
        for name in ("server.lock", "server.log", "config.toml", ".gitignore"):
            path = os.path.join(self.pm, name)
            cases = {
                "a link": lambda: os.symlink(self.victim, path),
                "a FIFO": lambda: os.mkfifo(path),
                "a directory": lambda: os.mkdir(path),
                "600 MB": lambda: (self.write(name, ""), os.truncate(path, 600 << 20)),
                "a link to /proc/self/mem": lambda: os.symlink("/proc/self/mem", path),
                "50,000 dotted keys": lambda: self.write(name, "a" + ".a" * 30_000 + " = 1\n"),
            }
            for kind, make in cases.items():
                make()
                self.walk(f"{name}: {kind}")
                self.end_servers()
                for left in os.listdir(self.pm):
                    one = os.path.join(self.pm, left)
                    shutil.rmtree(one) if os.path.isdir(one) and not os.path.islink(one) else os.remove(one)

    def end_servers(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd") == self.repository and os.readlink(f"/proc/{pid}/exe") == os.path.realpath(PM_SERVER):
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
