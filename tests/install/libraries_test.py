"""The installed libraries and headers, and projects that use them."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from install.installation import SOURCE, BUILD, COMPILER, PLACE, PREFIX, output, installed, exported, serving


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
