#!/usr/bin/env python3
"""However many callers at once on a cold start: one server, one URL.
usage: ensure_test.py BERTH PM_SERVER [ROUNDS [CALLERS]]"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

BERTH, PM_SERVER = (os.path.abspath(program) for program in sys.argv[1:3])
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
CALLERS = int(sys.argv[4]) if len(sys.argv) > 4 else 64


def servers(directory):
    """The processes that serve this directory; its name is among their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{pid}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if words[0].endswith(b"pm-server") and directory.encode() in words and state != "Z":
            found.append(int(pid))
    return found


def ensure(directory, *options):
    return subprocess.Popen(
        [BERTH, "--config-dir", directory, "ensure", "--timeout", "60", *options, "--", PM_SERVER, "--config-dir",
         directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def eventually(condition):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def stop_all(directory):
    subprocess.run([BERTH, "--config-dir", directory, "stop", "--timeout", "30"], check=True, timeout=60)
    assert eventually(lambda: not servers(directory)), f"still there: {servers(directory)}"
    for name in os.listdir(directory):
        assert name == "server.log" or name.startswith("server.lock"), f"left behind: {name}"


def answers_of(callers):
    answers = set()
    for caller in callers:
        out, err = caller.communicate(timeout=90)
        assert caller.returncode == 0, f"status {caller.returncode}: {err}"
        answers.add(out)
    assert len(answers) == 1, answers
    return answers.pop()


def one_server_for_all(directory):
    """Callers at once on a cold start get one and the same server, and there is no other."""
    answers_of([ensure(directory) for _ in range(CALLERS)])
    assert eventually(lambda: len(servers(directory)) == 1), servers(directory)
    with open(os.path.join(directory, "server.log")) as log:
        text = log.read()
    assert "already running" not in text, f"more than one was started: {text}"
    stop_all(directory)


def one_server_though_starters_are_killed(directory):
    """The same while callers are killed at random moments, whoever of them is starting it."""
    callers = [ensure(directory) for _ in range(CALLERS)]
    for victim in random.sample(callers, CALLERS // 4):
        time.sleep(random.uniform(0, 0.004))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        callers.remove(victim)
    answers_of(callers)
    assert eventually(lambda: len(servers(directory)) == 1), servers(directory)
    stop_all(directory)


def one_replacement(directory):
    """A server of another version is replaced by one caller, and all get the new one."""
    old = subprocess.Popen([BERTH, "--config-dir", directory, "announce", "--port", "8080", "--version", "0.9.1"],
                           stdout=subprocess.PIPE, text=True)
    assert old.stdout.readline()
    answer = answers_of([ensure(directory, "--min-version", "0.10") for _ in range(16)])
    assert ":8080" not in answer
    assert old.wait(30) == 0
    assert eventually(lambda: len(servers(directory)) == 1), servers(directory)
    assert answers_of([ensure(directory, "--exact-version", "1.0.0")]) == answer
    stop_all(directory)


def outlives_its_starter(directory):
    """The started server is in a session of its own and holds no descriptor of its starter."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    starter = subprocess.Popen([BERTH, "--config-dir", directory, "ensure", "--", PM_SERVER, "--config-dir", directory],
                               stdout=subprocess.DEVNULL, start_new_session=True, pass_fds=[writer])
    assert starter.wait(60) == 0
    os.close(writer)
    assert os.read(reader, 1) == b"", "the server holds the pipe"
    os.close(reader)
    (server,) = servers(directory)
    assert os.getsid(server) == server
    os.killpg(starter.pid, signal.SIGHUP) if os.path.exists(f"/proc/{starter.pid}") else None
    assert servers(directory) == [server]
    stop_all(directory)


def main():
    failed = 0
    tests = [(one_server_for_all, ROUNDS), (one_server_though_starters_are_killed, ROUNDS), (one_replacement, ROUNDS),
             (outlives_its_starter, 1)]
    for test, rounds in tests:
        done = 0
        try:
            for done in range(rounds):
                with tempfile.TemporaryDirectory() as directory:
                    try:
                        test(directory)
                    finally:
                        for server in servers(directory):
                            os.kill(server, signal.SIGKILL)
            print(f"ok: {test.__doc__} ({rounds} rounds of {CALLERS})")
        except Exception as fault:  # noqa: BLE001
            failed += 1
            print(f"FAILED: {test.__doc__} (round {done})\n  {type(fault).__name__}: {fault}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
