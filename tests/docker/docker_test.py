#!/usr/bin/env python3
"""The container files, as far as they can be proved without a Docker engine: references, packages, scripts, configurations.

Needs python3-yaml, promtool, openssl, and METRICS_FIXTURE, which the health check is tried on.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def packages(kind):
    return set(output(DOCKER / "build-steps.sh", "list", kind).split())


def mounts(service):
    """(source, target) of a service's volumes; the source is a path, or None for a named volume."""
    for volume in SERVICES[service].get("volumes", []):
        source, target = volume.split(":")[:2]
        yield (DOCKER / source).resolve() if source.startswith(".") else None, target


def package_of(path):
    return output("dpkg", "-S", path).split(":")[0]


class ComposeTest(unittest.TestCase):
    def test_every_file_that_is_mounted_exists(self):
        for name in SERVICES:
            for source, target in mounts(name):
                self.assertTrue(source is None or source.exists(), f"{name}: {source} for {target}")

    def test_every_name_is_declared(self):
        for name, service in SERVICES.items():
            for other in service.get("depends_on", []):
                self.assertIn(other, SERVICES, name)
            for volume in service.get("volumes", []):
                self.assertTrue(volume.startswith(".") or volume.split(":")[0] in COMPOSE["volumes"], volume)
            if "build" in service:
                self.assertEqual((DOCKER / service["build"]["context"]).resolve(), ROOT)
                self.assertTrue((ROOT / service["build"]["dockerfile"]).exists())

    def test_every_variable_has_a_default_and_is_in_the_example(self):
        used = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", (DOCKER / "compose.yaml").read_text()))
        self.assertEqual(set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yaml").read_text())), set(used))
        shown = dict(re.findall(r"^#(\w+)=(.*)$", (DOCKER / ".env.example").read_text(), re.M))
        self.assertEqual(set(shown), set(used))
        for name in set(used) - {"TIDB_URL"}:
            self.assertEqual(shown[name], used[name], name)

    def test_tidepool_knows_the_variables_that_it_is_given(self):
        source = ROOT / "src" / "config" / "environment.cc"
        if not source.exists():
            self.skipTest("no configuration layer yet")
        dockerfile = (DOCKER / "Dockerfile").read_text()
        given = set(SERVICES["tidepool"]["environment"]) | set(re.findall(r"\b(TIDEPOOL_\w+)=", dockerfile))
        self.assertLessEqual(given, set(re.findall(r'"(TID\w+)"', source.read_text())))

    def test_ports_are_published_on_the_loopback_address_only(self):
        for name, service in SERVICES.items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")


class MonitoringTest(unittest.TestCase):
    def test_prometheus_accepts_its_configuration_as_mounted(self):
        with tempfile.TemporaryDirectory() as directory:
            for source, target in mounts("prometheus"):
                if source is None:
                    continue
                copy = pathlib.Path(directory + target)
                copy.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
            output("promtool", "check", "config", directory + "/etc/prometheus/prometheus.yml")

    def test_prometheus_scrapes_tidepool(self):
        config = yaml.safe_load((DOCKER / "prometheus.yml").read_text())
        host, port = config["scrape_configs"][0]["static_configs"][0]["targets"][0].split(":")
        self.assertIn(host, SERVICES)
        self.assertIn(f":{port}", re.search(r"TIDEPOOL_HTTP=\S+", (DOCKER / "Dockerfile").read_text()).group())

    def test_grafana_finds_prometheus_and_the_dashboard(self):
        mounted = {target: source for source, target in mounts("grafana")}
        sources = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
        self.assertEqual([source["type"] for source in sources], ["prometheus"])
        self.assertIn(re.fullmatch(r"http://(\w+):9090", sources[0]["url"]).group(1), SERVICES)

        provider = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/tidepool.yaml").read_text())["providers"][0]
        self.assertTrue((mounted[provider["options"]["path"]] / "tidepool.json").exists())
        home = pathlib.Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
        self.assertTrue((mounted[str(home.parent)] / home.name).exists())


class ImageTest(unittest.TestCase):
    def test_what_is_copied_exists_and_is_not_ignored(self):
        allowed = set(re.findall(r"^!(.+)$", (DOCKER / "Dockerfile.dockerignore").read_text(), re.M))
        needed = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "cmake", "conf", "include", "src",
                  "docker/build-steps.sh", "docker/healthcheck.sh"}
        self.assertLessEqual(needed, allowed)
        self.assertFalse(any(name in allowed for name in ("docker", "docker/.env", "build", "tests")))

    def test_build_packages_hold_every_module_that_cmake_asks_for(self):
        listed = packages("build")
        modules = re.findall(r"IMPORTED_TARGET ([\w.-]+)\)", (ROOT / "cmake" / "packages.cmake").read_text())
        self.assertGreater(len(modules), 5)
        for module in modules:
            directory = output("pkg-config", "--variable=pcfiledir", module).strip()
            self.assertIn(package_of(f"{directory}/{module}.pc"), listed, module)

    def test_user_is_not_root_and_is_made(self):
        user = re.findall(r"^USER (\w+)$", (DOCKER / "Dockerfile").read_text(), re.M)
        self.assertEqual(user, ["tidepool"])
        self.assertRegex((DOCKER / "build-steps.sh").read_text(), r"useradd .* tidepool\n")


class ScriptsTest(unittest.TestCase):
    def test_the_certificate_is_for_its_host_and_made_once(self):
        with tempfile.TemporaryDirectory() as directory:
            make = [DOCKER / "make-certs.sh", directory, "tidb"]
            output(*make)
            made = pathlib.Path(directory, "server.pem").read_bytes()
            verify = ["openssl", "verify", "-CAfile", directory + "/ca.pem", "-purpose", "sslserver", "-verify_hostname"]
            output(*verify, "tidb", directory + "/server.pem")
            with self.assertRaises(subprocess.CalledProcessError):
                output(*verify, "elsewhere", directory + "/server.pem")

            self.assertIn("still good", output(*make))
            self.assertEqual(pathlib.Path(directory, "server.pem").read_bytes(), made)
            self.assertEqual({path.name for path in pathlib.Path(directory).iterdir()},
                             {"ca.pem", "server.pem", "server.key"})

    def test_the_health_check_tells_a_working_process_from_none(self):
        def check(address):
            return subprocess.run([DOCKER / "healthcheck.sh"], env={**os.environ, "TIDEPOOL_HTTP": address},
                                  stderr=subprocess.DEVNULL, check=False).returncode

        fixture = subprocess.Popen([os.environ["METRICS_FIXTURE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (fixture.stdin.close(), fixture.stdout.close(), fixture.wait(timeout=20)))
        port = int(fixture.stdout.readline())
        self.assertEqual(check(f"127.0.0.1:{port}"), 0)
        self.assertEqual(check(f"0.0.0.0:{port}"), 0)

        with socket.socket() as silent:  # listens, and never answers
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            self.assertNotEqual(check(address), 0)
        self.assertNotEqual(check(address), 0)


class SystemdTest(unittest.TestCase):
    def test_systemd_accepts_the_unit(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        unit = (ROOT / "packaging/systemd/tidepool.service").read_text()
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory, "tidepool.service")
            copy.write_text(unit.replace("/usr/local/bin/tidepool", "/bin/true"))
            checked = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))


class DocumentTest(unittest.TestCase):
    def test_the_sidecar_example_names_what_the_image_has(self):
        section = (ROOT / "docs/deployment.md").read_text().split("## Kubernetes, as a sidecar")[1]
        example = re.search(r"```yaml\n(.*?)```", section, re.S).group(1)
        sidecar = yaml.safe_load(example)["spec"]["initContainers"][0]
        self.assertEqual(sidecar["restartPolicy"], "Always")
        self.assertIn(f"--uid {sidecar['securityContext']['runAsUser']} ", (DOCKER / "build-steps.sh").read_text())
        self.assertIn(f":{sidecar['ports'][0]['containerPort']}", (DOCKER / "Dockerfile").read_text())


if __name__ == "__main__":
    unittest.main()
