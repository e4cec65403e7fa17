#!/usr/bin/env python3
"""Every command under every condition that the world may impose: an expected status and message, no signal, no hang.
usage: conditions_test.py BERTH PM_SERVER"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BERTH, PM_SERVER = (os.path.realpath(path) for path in sys.argv[1:3])
STRANGER = 12397  # a user whose limits nobody else uses up

# What a command answers where nothing is wrong: its words, whether a server is live, its status, and whether it
# prints to standard output.
COMMANDS = {
    "path": (["path"], True, 0, True),
    "url": (["url"], True, 0, True),
    "status": (["status"], True, 0, True),
    "wait": (["wait", "--timeout", "5"], True, 0, True),
    "list": (["list"], True, 0, True),
    "clean": (["clean"], True, 0, False),
    "doctor": (["doctor"], True, 0, True),
    "ensure": (["ensure", "--timeout", "10", "--", PM_SERVER], True, 0, True),
    "announce": (["announce", "--port", "9", "--", "true"], True, 4, False),
    "stop": (["stop", "--timeout", "5"], False, 3, False),
    "replace": (["replace", "--timeout", "10", "--", PM_SERVER], False, 0, True),
}

# What a condition changes: for each command that it concerns, the status and what the message has in it.
CONDITIONS = {"nothing is wrong": {}}
OUTPUT = {name: (1, "standard output") for name, (_, _, status, prints) in COMMANDS.items() if prints}
for closed in ("0", "2", "02"):
    CONDITIONS[f"{closed} closed"] = {}
for closed in ("1", "01"):
    CONDITIONS[f"{closed} closed"] = OUTPUT
for closed in ("12", "012"):
    CONDITIONS[f"{closed} closed"] = {name: (1, "") for name in OUTPUT}
CONDITIONS["output full"] = OUTPUT
CONDITIONS["no inotify"] = {}
LOOP = ("wait", "announce", "replace")
CONDITIONS["8 descriptors"] = {"ensure": (1, "oo many open files"), **{name: (1, "oo many open files") for name in LOOP}}
CONDITIONS["no threads"] = {"replace": (1, "Resource temporarily unavailable|resource temporarily unavailable")}
CONDITIONS["no /proc"] = {}
CONDITIONS["deleted current directory"] = {name: (1, "cannot find the current directory") for name in COMMANDS}
CONDITIONS["read-only"] = {"doctor": (1, "Read-only file system"), "replace": (1, "Read-only file system"), "announce": (1, "Read-only file system")}
CONDITIONS["disk full"] = {"doctor": (1, "is full"), "replace": (1, "No space left")}
CONDITIONS["no inodes"] = {"doctor": (1, "has no inodes left"), "replace": (1, "No space left")}
NEEDS_ROOT = {"no inotify", "no threads", "no /proc", "read-only", "disk full", "no inodes"}


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0


class Conditions(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="berth-conditions-")
        os.chmod(self.top, 0o755)
        self.addCleanup(shutil.rmtree, self.top, True)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("PM_", "BERTH_"))}
        self.environment.update(HOME="/nonexistent", BERTH_LIST_DIR=os.path.join(self.top, "list"))
        self.prefix = []

    def run_in(self, workspace, words, **more):
        # The command leads a session of its own, which is ended with what it has left.
        return subprocess.run([*self.prefix, *words], cwd=workspace, env=self.environment, timeout=60,
                              **{"stdin": subprocess.DEVNULL, "capture_output": "stdout" not in more, "text": True, **more})

    def workspace(self, name):
        path = os.path.join(self.top, name)
        os.mkdir(path)
        if self.prefix and self.prefix[0] == "setpriv":
            os.chown(path, STRANGER, STRANGER)
        return path

    def start(self, workspace):
        server = subprocess.Popen([*self.user, PM_SERVER], cwd=workspace, env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (server.kill(), server.wait()))
        waited = subprocess.run([*self.user, BERTH, "wait", "--timeout", "30"], cwd=workspace, env=self.environment, capture_output=True)
        self.assertEqual(waited.returncode, 0, waited.stderr)

    @property
    def user(self):
        return self.prefix if self.prefix[:1] == ["setpriv"] else []

    def end_all_below(self, directory):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd").startswith(directory):
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass

    def check(self, name, condition, ran, out=None):
        words, live, status, prints = COMMANDS[name]
        expected, message = CONDITIONS[condition].get(name, (status, ""))
        said = (ran.stderr or "") + (ran.stdout or "" if name == "doctor" else "")
        self.assertEqual(ran.returncode, expected, said)
        if "2" not in condition.split(" closed")[0]:
            self.assertTrue(re.search(message, said), f"{message!r} is not in {said!r}")

    def each(self, condition, prepare=lambda workspace: None, wrap=lambda words: words, **more):
        for name, (words, live, _, _) in COMMANDS.items():
            with self.subTest(condition=condition, command=name):
                workspace = self.workspace(f"{name}-{len(os.listdir(self.top))}")
                try:
                    if live:
                        self.start(workspace)
                    prepare(workspace)
                    self.check(name, condition, self.run_in(workspace, wrap([BERTH, *words]), **more))
                finally:
                    self.end_all_below(workspace)

    def test_nothing_is_wrong(self):
        self.each("nothing is wrong")

    def test_descriptors_are_closed(self):
        for condition in [name for name in CONDITIONS if name.endswith(" closed")]:
            shell = "exec \"$@\" " + " ".join({"0": "<&-", "1": ">&-", "2": "2>&-"}[each] for each in condition.split(" ")[0])
            self.each(condition, wrap=lambda words: ["sh", "-c", shell, "sh", *words])

    def test_output_is_full(self):
        with open("/dev/full", "w") as full:
            self.each("output full", stdout=full, stderr=subprocess.PIPE)

    def test_eight_descriptors(self):
        self.each("8 descriptors", wrap=lambda words: ["sh", "-c", "ulimit -n 8; exec \"$@\"", "sh", *words])

    def test_the_current_directory_is_deleted(self):
        def wrap(words):
            return ["sh", "-c", "mkdir gone; cd gone; rmdir ../gone; exec \"$@\"", "sh", *words]
        self.each("deleted current directory", wrap=wrap)

    @unittest.skipUnless(can_mount(), "only root can")
    def test_no_proc(self):
        self.each("no /proc", wrap=lambda words: ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh", *words])

    @unittest.skipUnless(can_mount(), "only root can")
    def test_read_only(self):
        script = "mount --bind . . && mount -o remount,ro,bind . && cd . && cd \"$PWD\" && exec \"$@\""
        self.each("read-only", wrap=lambda words: ["unshare", "-m", "sh", "-c", script, "sh", *words])

    @unittest.skipUnless(can_mount(), "only root can")
    def test_disk_full(self):
        def fill(workspace):
            with open(os.path.join(workspace, "fill"), "wb", 0) as file:
                while True:
                    file.write(bytes(4096))
        self.each_exhausted("disk full", "size=128k", fill)

    @unittest.skipUnless(can_mount(), "only root can")
    def test_no_inodes(self):
        def fill(workspace):
            number = 0
            while True:
                open(os.path.join(workspace, f"fill{(number := number + 1)}"), "x").close()
        self.each_exhausted("no inodes", "nr_inodes=16", fill)

    def each_exhausted(self, condition, limit, fill):
        """Each command on a small file system of its own, which fill() uses up until it raises OSError."""
        for name, (words, live, _, _) in COMMANDS.items():
            with self.subTest(condition=condition, command=name):
                workspace = self.workspace(f"full-{name}")
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"{limit},mode=755", "none", workspace], check=True)
                try:
                    if live:
                        self.start(workspace)
                    with self.assertRaises(OSError):
                        fill(workspace)
                    self.check(name, condition, self.run_in(workspace, [BERTH, *words]))
                finally:
                    self.end_all_below(workspace)
                    time.sleep(0)  # the kernel lets the mount go when the last process has ended
                    subprocess.run(["umount", "-l", workspace], check=True)

    @unittest.skipUnless(can_mount(), "only root can")
    def test_no_inotify(self):
        hold = "import ctypes,sys,time\nl=ctypes.CDLL(None)\nwhile l.inotify_init()>=0: pass\nprint('held',flush=True)\ntime.sleep(300)\n"
        self.prefix = ["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups"]
        self.user_setup()
        holder = subprocess.Popen([*self.prefix, sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (holder.kill(), holder.wait()))
        holder.stdout.readline()
        self.each("no inotify")

    @unittest.skipUnless(can_mount(), "only root can")
    def test_no_threads(self):
        self.prefix = ["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups"]
        self.user_setup()
        self.each("no threads", wrap=lambda words: ["prlimit", "--nproc=1", *words])

    def user_setup(self):
        os.mkdir(os.path.join(self.top, "list"), 0o700)
        os.chown(os.path.join(self.top, "list"), STRANGER, STRANGER)

    def test_every_command_has_its_row(self):
        helped = subprocess.run([BERTH, "--help"], capture_output=True, text=True).stdout
        names = re.findall(r"^  ([a-z]+)  ", helped[helped.index("Subcommands"):], re.M)
        self.assertEqual(sorted(names), sorted(COMMANDS))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
