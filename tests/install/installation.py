"""berth, installed into a directory of the test's own. Takes the arguments of install_test.py."""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
COMPILER = sys.argv[3].split()
PLACE = tempfile.TemporaryDirectory(prefix="berth-installed-")


def output(*command, **options):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if run.returncode:
        raise AssertionError(f"{command[0]} ended with status {run.returncode}:\n{run.stdout}{run.stderr}")
    return run.stdout


output("meson", "install", "-C", BUILD, "--no-rebuild", env=os.environ | {"DESTDIR": PLACE.name})
PREFIX = next(path for path in pathlib.Path(PLACE.name).rglob("bin/berth")).parent.parent
os.environ["TMPDIR"] = PLACE.name


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
