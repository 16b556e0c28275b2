#!/usr/bin/env python3
"""Every query of the dashboard and every alert rule, against a real Prometheus that scrapes a running endpoint.

TIDEPOOL_METRICS_URL names the endpoint, such as http://127.0.0.1:6034/metrics of a Tidepool that has served a few
queries. Without it, the program METRICS_FIXTURE is started: the real exporter over counters that all grow.
"""
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import unittest

from prometheus import Prometheus, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DASHBOARD = ROOT / "grafana" / "dashboards" / "tidepool.json"
RULES = ROOT / "grafana" / "alerts" / "tidepool.rules.yaml"
EXTERNAL = os.environ.get("TIDEPOOL_METRICS_URL")


def interpolated(expression):
    """As Grafana sends it, with all instances and pools chosen."""
    return expression.replace("$__rate_interval", "30s").replace("$instance", ".+").replace("$pool", ".+")


def panel_queries():
    """(panel title, expression) of the whole dashboard."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], interpolated(target["expr"])


def names_in(expression):
    return set(re.findall(r"\btidepool_\w+", expression))


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fixture = None
        url = EXTERNAL
        if not url:
            cls.fixture = subprocess.Popen([os.environ["METRICS_FIXTURE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            cls.addClassCleanup(cls.stop_fixture)
            url = f"http://127.0.0.1:{int(cls.fixture.stdout.readline())}/metrics"
        cls.prometheus = cls.enterClassContext(Prometheus(url, RULES))
        # A rate needs two scrapes.
        wait_until("two scrapes", lambda: cls.prometheus.query("rate(tidepool_leases_total[30s])"))

    @classmethod
    def stop_fixture(cls):
        cls.fixture.stdin.close()  # it ends with its input
        cls.fixture.stdout.close()
        cls.fixture.wait(timeout=20)

    def test_every_panel_has_data(self):
        for title, expression in panel_queries():
            with self.subTest(panel=title, query=expression):
                values = self.prometheus.query(expression)
                may_be_empty = EXTERNAL and expression.endswith(" > 0")
                self.assertTrue(values or may_be_empty, "no series")
                if not EXTERNAL:
                    self.assertTrue(any(math.isfinite(value) and value > 0 for value in values) or
                                    "tidepool_ready" in expression, f"nothing but {values}")

    def test_every_variable_has_values(self):
        for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
            if variable["type"] != "query":
                continue
            series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", interpolated(variable["query"]["query"])).groups()
            with self.subTest(variable=variable["name"]):
                self.assertTrue(self.prometheus.api(f"label/{label}/values", **{"match[]": series}))

    def test_every_rule_is_evaluated_over_metrics_that_exist(self):
        def rules():
            found = [rule for group in self.prometheus.api("rules")["groups"] for rule in group["rules"]]
            return found if found and all(rule["health"] != "unknown" for rule in found) else None

        for rule in wait_until("the rules are evaluated", rules):
            with self.subTest(rule=rule["name"]):
                self.assertEqual(rule["health"], "ok", rule.get("lastError"))
                self.prometheus.query(rule["query"])
                for name in names_in(rule["query"]):
                    self.assertTrue(self.prometheus.query(f"count({name})"), f"no series of {name}")

    def test_the_dashboard_shows_every_metric(self):
        shown = set().union(*(names_in(expression) for _, expression in panel_queries()))
        shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
        rows = re.findall(r"^\| `(tidepool_\w+)`.*\| ([^|]*) \|$", (ROOT / "docs" / "metrics.md").read_text(), re.M)
        known = {name for name, meaning in rows if not meaning.startswith("Deprecated: ")}
        elsewhere = {  # figures for tables, alerts and people, not for a graph
            "tidepool_build_info", "tidepool_client_connections_total", "tidepool_clients_max", "tidepool_pool_size",
            "tidepool_last_dial_error_timestamp_seconds", "tidepool_start_time_seconds", "tidepool_uptime_seconds",
            "tidepool_workers", "tidepool_pending_logins_max", "tidepool_accepting", "tidepool_accept_pauses_total",
            "tidepool_config_reloads_total", "tidepool_config_last_reload_successful",
            "tidepool_config_last_reload_timestamp_seconds", "tidepool_takeovers_total", "tidepool_logins_total",
            "tidepool_certificate_expiry_timestamp_seconds",
            "tidepool_passthrough_users",
            "tidepool_commands_waiting", "tidepool_command_waits_total", "tidepool_memory_trims_total",
        }
        self.assertEqual(shown, known - elsewhere)


class FilesTest(unittest.TestCase):
    def test_the_dashboard_is_what_its_program_writes(self):
        subprocess.run([sys.executable, ROOT / "grafana" / "make_dashboard.py", "--check"], check=True)

    def test_panels_do_not_overlap(self):
        taken = {}
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"])
                         for y in range(place["y"], place["y"] + place["h"])):
                self.assertNotIn(cell, taken, f"{panel['title']} lies over {taken.get(cell)}")
                taken[cell] = panel["title"]

    def test_alert_rules_fire_when_they_should(self):
        subprocess.run(["promtool", "test", "rules", "alerts_test.yaml"], check=True, cwd=pathlib.Path(__file__).parent,
                       stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    unittest.main()
