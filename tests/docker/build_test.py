#!/usr/bin/env python3
"""Runs the Dockerfile's build steps as they are, on the files that Docker would be sent, and then what they have built.

BUILD_DIRECTORY is kept from run to run, so that only the first one compiles everything.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STEPS = ROOT / "docker" / "build-steps.sh"
KEPT = pathlib.Path(os.environ["BUILD_DIRECTORY"])


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def with_dependencies(names):
    """The packages and everything that they depend on, of what is installed."""
    seen, ahead = set(), set(names)
    while ahead:
        seen |= ahead
        depends = output("dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}, ", *ahead)
        ahead = {word for word in re.findall(r"(?:^|[,|] ?)([a-z0-9][a-z0-9+.-]+)", depends)} - seen
        ahead &= INSTALLED
    return seen


INSTALLED = set(output("dpkg-query", "-W", "-f", "${Package}\n").split())


def copy_context():
    """The files that Dockerfile.dockerignore lets through, as `COPY . .` brings them into the image."""
    context = KEPT / "context"
    shutil.rmtree(context, ignore_errors=True)
    for name in re.findall(r"^!(.+)$", (ROOT / "docker" / "Dockerfile.dockerignore").read_text(), re.M):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, context / name)
    return context


class BuildTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="tidepool-image-")
        cls.addClassCleanup(directory.cleanup)
        cls.prefix = pathlib.Path(directory.name)
        steps = copy_context() / "docker" / "build-steps.sh"
        subprocess.run([steps, "build", cls.prefix, KEPT / "build"], check=True)
        cls.program = cls.prefix / "usr/local/bin/tidepool"

    def test_the_program_starts(self):
        version = re.search(r"VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text().split("project(", 1)[1]).group(1)
        self.assertIn(version, output(self.program, "--version"))

    def test_it_accepts_what_the_compose_file_tells_it(self):
        compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
        told = dict(re.findall(r"\b(TIDEPOOL_\w+)=(\S+)", (ROOT / "docker" / "Dockerfile").read_text()))
        told |= compose["services"]["tidepool"]["environment"]
        told = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in told.items()}
        subprocess.run([ROOT / "docker" / "make-certs.sh", self.prefix / "certs", "tidb"], check=True, capture_output=True)
        told["TIDB_URL"] = told["TIDB_URL"].replace("/certs/", f"{self.prefix}/certs/")
        checked = subprocess.run([self.program, "--check-config"], env=told, capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_every_library_is_of_a_runtime_package(self):
        available = with_dependencies(output(STEPS, "list", "runtime").split())
        for library in re.findall(r"=> (/\S+)", output("ldd", self.program)):
            # Debian 12 has /lib as a link to /usr/lib; dpkg knows some files by the one name and some by the other.
            names = {library, str(pathlib.Path(library).resolve()), library.removeprefix("/usr"),
                     str(pathlib.Path(library).resolve()).removeprefix("/usr")}
            owners = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True, check=False).stdout
            owner = re.match(r"([^:]+):", owners)
            self.assertTrue(owner and owner.group(1) in available, f"{library}: {owners}")

    def test_what_the_image_needs_beside_it_is_there(self):
        self.assertTrue(os.access(self.prefix / "usr/local/bin/tidepool-healthcheck", os.X_OK))
        self.assertTrue((self.prefix / "etc/tidepool/tidepool.minimal.yaml").exists())


if __name__ == "__main__":
    unittest.main()
