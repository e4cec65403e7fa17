#!/usr/bin/env python3
"""Lives beside a program that does as the reference does: plain writes, no lock, five fields.
usage: peer_test.py BERTH PM_SERVER"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

BERTH, PM_SERVER = (os.path.abspath(program) for program in sys.argv[1:3])
FIELDS = {"pid": int, "port": int, "host": str, "started_at": str, "version": str}


started = []


def start(*command, **options):
    """A process that does not outlive its test, whatever happens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    started.append(process)
    return process


def end_all():
    while started:
        process = started.pop()
        process.kill()
        process.wait()


class Peer:
    """The reference's module, as far as files go."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / ".pm" / "server.json"

    def write(self, pid, port):
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.write_text(json.dumps({"pid": pid, "port": port, "host": "127.0.0.1",
                                         "started_at": datetime.now(timezone.utc).isoformat(), "version": "0.1.0"}, indent=2))

    def read(self):
        """Strict: the five fields, of their types; what it does not know it ignores."""
        found = json.loads(self.path.read_text())
        for name, kind in FIELDS.items():
            assert type(found[name]) is kind, f"{name} is {found[name]!r}"
        assert list(found)[:5] == list(FIELDS), "the five fields come first, in order"
        return found

    def read_live(self):
        try:
            found = self.read()
            os.kill(found["pid"], 0)
            return found
        except (FileNotFoundError, ProcessLookupError):
            return None


def berth(directory, *words):
    return subprocess.run([BERTH, *words], cwd=directory, capture_output=True, text=True, timeout=30)


def eventually(condition):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.001)
    return False


def finds_the_peer(directory, peer):
    """A file that the peer wrote is found, and its server's death is seen."""
    server = start("sleep", "1000")
    peer.write(server.pid, 8080)
    assert berth(directory, "url").stdout == "http://127.0.0.1:8080\n"
    assert peer.path.exists()
    server.kill()
    server.wait()
    assert berth(directory, "url").returncode == 3
    assert not peer.path.exists()


def refuses_beside_the_peer(directory, peer):
    """While the peer's server lives, ours is refused and its file stays as it was."""
    server = start("sleep", "1000")
    peer.write(server.pid, 8080)
    before = peer.path.read_text()
    refused = subprocess.run([PM_SERVER], cwd=directory, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 4, refused.stderr
    assert f"Another pm-server is already running on port 8080 (PID {server.pid})." in refused.stderr
    assert peer.path.read_text() == before


def replaces_the_dead_peer(directory, peer):
    """When the peer's server is gone, ours takes its place, and the peer can read our file."""
    peer.write(999999, 8080)
    server = start(PM_SERVER, cwd=directory)
    assert eventually(lambda: (peer.read_live() or {}).get("pid") == server.pid)
    assert berth(directory, "url").stdout == f"http://127.0.0.1:{peer.read()['port']}\n"
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    assert not peer.path.exists()


def never_torn_for_the_peer(directory, peer):
    """However often ours is started and stopped, the peer never reads a part of a file."""
    reads = 0
    for _ in range(10):
        server = start(BERTH, "announce", "--port", "8080", cwd=directory)
        while (found := peer.read_live()) is None:
            reads += 1
        assert found["pid"] == server.pid
        server.send_signal(signal.SIGINT)
        while peer.path.exists():
            peer.read_live()
            reads += 1
        assert server.wait(20) == 0
    print(f"  {reads} reads")


def main():
    failed = 0
    tests = [finds_the_peer, refuses_beside_the_peer, replaces_the_dead_peer, never_torn_for_the_peer]
    for test in tests:
        with tempfile.TemporaryDirectory() as directory:
            try:
                test(directory, Peer(directory))
                print(f"ok: {test.__doc__}")
            except Exception as fault:  # noqa: BLE001
                failed += 1
                print(f"FAILED: {test.__doc__}\n  {type(fault).__name__}: {fault}")
            finally:
                end_all()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
