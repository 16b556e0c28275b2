#!/usr/bin/env python3
"""Writes grafana/dashboards/tidepool.json, which users import as it is; edit the panels here, not there.

    grafana/make_dashboard.py            writes the file
    grafana/make_dashboard.py --check    fails if the file is not what would be written
"""
import json
import pathlib
import sys

TARGET = pathlib.Path(__file__).resolve().parent / "dashboards" / "tidepool.json"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
POOL = '{instance=~"$instance", pool=~"$pool"}'
PROCESS = '{instance=~"$instance"}'
WINDOW = "[$__rate_interval]"
WIDTH = 24  # of Grafana's grid
HEIGHT = 8


def pool(metric, extra=""):
    """The metric's series of the pools that are chosen."""
    return metric + (POOL[:-1] + ", " + extra + "}" if extra else POOL)


def rate(series):
    return f"rate({series}{WINDOW})"


def total(expr, by=""):
    return f"sum by ({by}) ({expr})" if by else f"sum({expr})"


def quantile(q, histogram):
    return f"histogram_quantile({q}, {total(rate(pool(histogram + '_bucket')), 'le')})"


def quantiles(histogram, prefix="", which=(0.5, 0.95, 0.99)):
    return [(quantile(q, histogram), f"{prefix}p{round(q * 100)}") for q in which]


def targets(queries):
    return [
        {"datasource": DATASOURCE, "expr": expr, "legendFormat": legend, "range": True, "refId": chr(ord("A") + i)}
        for i, (expr, legend) in enumerate(queries)
    ]


def graph(title, description, unit, queries, width=12, stacked=False, lines=()):
    """A panel over time. `lines`: legends that are drawn as a dashed line above a stack, such as the cap."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if stacked else 10,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }
    overrides = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [
                {"id": "custom.stacking", "value": {"mode": "none", "group": "A"}},
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}},
                {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
            ],
        }
        for name in lines
    ]
    return {
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom},
            "overrides": overrides,
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": targets(queries),
    }


def stat(title, description, unit, expr, steps=((None, "green"),), mappings=()):
    return {
        "type": "stat",
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": 3, "h": 4},
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "mappings": list(mappings),
                "thresholds": {"mode": "absolute", "steps": [{"value": v, "color": c} for v, c in steps]},
            },
            "overrides": [],
        },
        "options": {
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        "targets": targets([(expr, "")]),
    }


QUERIES = total(rate(pool("tidepool_queries_total")))
ERRORS = total(rate(pool("tidepool_queries_total", 'outcome="error"')))
LEASED = total(pool("tidepool_backends", 'state="leased"'))
OVERHEAD = (
    f"({total(rate(pool('tidepool_query_duration_seconds_sum')))}"
    f" - {total(rate(pool('tidepool_query_backend_duration_seconds_sum')))})"
    f" / {total(rate(pool('tidepool_query_duration_seconds_count')))}"
)
READY = [{"type": "value", "options": {"0": {"text": "not ready", "color": "red"}, "1": {"text": "ready", "color": "green"}}}]
WORSE = ((None, "green"), (0.1, "orange"), (1, "red"))  # seconds

OVERVIEW = [
    stat("Readiness", "The worst of the instances chosen; /readyz says why.", "none",
         f"min(tidepool_ready{PROCESS})", mappings=READY),
    stat("Backends in use", "Leased, of what the cap allows.", "percentunit",
         f"{LEASED} / {total(pool('tidepool_pool_cap'))}",
         ((None, "green"), (0.8, "orange"), (0.95, "red"))),
    stat("Waiters", "Sessions queued for a lease.", "none", total(pool("tidepool_waiters")),
         ((None, "green"), (1, "orange"))),
    stat("Lease wait p99", "How long a session waits for a lease.", "s", quantile(0.99, "tidepool_lease_wait_seconds"), WORSE),
    stat("Queries", "Commands answered a second.", "ops", QUERIES),
    stat("Errors", "Share of commands answered with an error, by TiDB or by Tidepool.", "percentunit",
         f"{ERRORS} / {QUERIES}", ((None, "green"), (0.01, "orange"), (0.05, "red"))),
    stat("Added by Tidepool", "Mean time of a query beyond TiDB's, waits for a lease included.", "s", OVERHEAD,
         ((None, "green"), (0.01, "orange"), (0.1, "red"))),
    stat("Clients", "Connections open.", "none", f"sum(tidepool_clients{PROCESS})"),
]

ROWS = [
    ("Pool", [
        graph("Backends", "Connections to TiDB by state. Their sum never exceeds the cap.", "none", [
            (total(pool("tidepool_backends"), "state"), "{{state}}"), (total(pool("tidepool_pool_cap")), "cap"),
        ], stacked=True, lines=["cap"]),
        graph("Waiters", "Sessions queued for a lease, by pool.", "none",
              [(total(pool("tidepool_waiters"), "pool"), "{{pool}}")]),
        graph("Lease wait", "From asking for a lease to getting it or giving up.", "s", quantiles("tidepool_lease_wait_seconds")),
        graph("Leases", "Leases granted, waiters that reached their deadline, and sessions that found the queue full.", "ops", [
            (total(rate(pool("tidepool_leases_total"))), "granted"),
            (total(rate(pool("tidepool_lease_timeouts_total"))), "timed out"),
            (total(rate(pool("tidepool_waiters_refused_total"))), "queue full"),
        ]),
        graph("Dials by result", "Attempts to open a connection to TiDB.", "ops",
              [(total(rate(pool("tidepool_dials_total")), "result"), "{{result}}")], width=8, stacked=True),
        graph("Dial duration", "Name, TCP, TLS and login; failed dials too.", "s", quantiles("tidepool_dial_duration_seconds"),
              width=8),
        graph("Retired by reason", "Backends taken out of the pool.", "ops",
              [(total(rate(pool("tidepool_backends_retired_total")), "reason"), "{{reason}}")], width=8, stacked=True),
        graph("Backends by endpoint", "Connections to each endpoint of TiDB.", "none",
              [(total(pool("tidepool_endpoint_backends"), "endpoint"), "{{endpoint}}")], width=8, stacked=True),
        graph("Dials by endpoint", "Attempts to open a connection, by endpoint and result.", "ops",
              [(total(rate(pool("tidepool_endpoint_dials_total")), "endpoint, result"), "{{endpoint}} {{result}}")], width=8,
              stacked=True),
        graph("Endpoints that answer", "1 if the last dial to the endpoint succeeded; and pools for which no endpoint takes a dial.",
              "none", [(total(pool("tidepool_endpoint_up"), "endpoint"), "{{endpoint}}"),
                       (total(pool("tidepool_tidb_unavailable"), "pool"), "{{pool}} unavailable")], width=8),
    ]),
    ("Queries", [
        graph("Queries by kind", "Commands answered.", "ops", [
            (total(rate(pool("tidepool_queries_total")), "command"), "{{command}}"),
            (total(rate(pool("tidepool_queries_answered_locally_total"))), "answered locally"),
            (total(rate(pool("tidepool_prepares_total", 'source="memory"'))), "prepares from memory"),
        ], lines=["answered locally", "prepares from memory"], stacked=True),
        graph("Errors", "Commands answered with an error, by kind, and clients that did not get past their login.", "ops", [
            (total(rate(pool("tidepool_queries_total", 'outcome="error"')), "command"), "{{command}}"),
            (total(rate(f"tidepool_login_failures_total{PROCESS}"), "reason"), "login: {{reason}}"),
            (total(rate(f"tidepool_login_refusals_delayed_total{PROCESS}")), "wrong passwords that waited"),
            (total(rate(f"tidepool_passthrough_proofs_total{PROCESS}"), "result"), "passthrough: {{result}}"),
            (total(rate(pool("tidepool_prepares_refused_total")), "limit"), "prepares beyond the {{limit}}'s memory"),
            (total(rate(f"tidepool_commands_refused_total{PROCESS}"), "reason"), "large commands: {{reason}}"),
        ]),
        graph("Retries", "Statements run again because they surely had no effect, by what had failed, transactions replayed, "
              "statements of which nobody knows whether they were executed, and what a timeout has ended.", "ops", [
                  (total(rate(pool("tidepool_retries_total")), "reason"), "{{reason}}"),
                  (total(rate(pool("tidepool_replays_total")), "result"), "transaction {{result}}"),
                  (total(rate(pool("tidepool_unknown_outcomes_total"))), "outcome unknown"),
                  (total(rate(pool("tidepool_timeouts_total")), "kind"), "timeout: {{kind}}"),
              ]),
        graph("Query time", "Whole time and TiDB's part; the difference is Tidepool's, waits for a lease included.", "s",
              quantiles("tidepool_query_duration_seconds", "total ", (0.5, 0.99))
              + quantiles("tidepool_query_backend_duration_seconds", "TiDB ", (0.5, 0.99)), width=8),
        graph("Added by Tidepool", "Mean time of a query beyond TiDB's, waits for a lease included.", "s", [(OVERHEAD, "mean")],
              width=8),
    ]),
    ("Sessions", [
        graph("Sessions", "Clients past their login, by what their session is doing, and those that have not logged in yet.", "none", [
            (total(pool("tidepool_sessions"), "state"), "{{state}}"),
            (total(f"tidepool_pending_logins{PROCESS}"), "pending login"),
        ], stacked=True),
        graph("Logins", "Sessions opened and closed.", "ops", [
            (total(rate(pool("tidepool_sessions_opened_total"))), "opened"),
            (total(rate(pool("tidepool_sessions_closed_total"))), "closed"),
        ]),
        graph("Pinned now", "Sessions that keep their lease. Reasons other than `transaction` make the pool smaller in effect.",
              "none", [(total(pool("tidepool_pinned_sessions"), "reason") + " > 0", "{{reason}}")], width=8, stacked=True),
        graph("Pins by reason", "Times that a session had to keep its lease.", "ops",
              [(total(rate(pool("tidepool_pins_total")), "reason") + " > 0", "{{reason}}")], width=8, stacked=True),
        graph("State moved", "Leases whose backend had another state than the session, what that took, and state read back.",
              "ops", [
                  (total(rate(pool("tidepool_restores_total"))), "restores"),
                  (total(rate(pool("tidepool_restore_statements_total"))), "statements"),
                  (total(rate(pool("tidepool_captures_total"))), "captures"),
              ], width=8),
    ]),
    ("Process", [
        graph("Bytes", "As Tidepool sees them: received and sent, on each side.", "Bps", [
            (total(rate(pool("tidepool_client_bytes_total")), "direction"), "clients, {{direction}}"),
            (total(rate(pool("tidepool_backend_bytes_total")), "direction"), "TiDB, {{direction}}"),
        ], width=6),
        graph("Memory", "Resident, and what of it prepared statements and large commands take.", "bytes", [
            (f"tidepool_process_resident_memory_bytes{PROCESS}", "{{instance}}"),
            (total(pool("tidepool_prepared_bytes"), "pool"), "prepared statements of {{pool}}"),
            (f"sum(tidepool_command_bytes{PROCESS})", "commands"),
        ], width=6),
        graph("File descriptors", "Open, as a share of what is allowed.", "percentunit", [
            (f"tidepool_process_open_fds{PROCESS} / tidepool_process_max_fds{PROCESS}", "{{instance}}")], width=6),
        graph("CPU", "Cores in use.", "none", [(rate(f"tidepool_process_cpu_seconds_total{PROCESS}"), "{{instance}}")], width=6),
    ]),
]


def variable(name, label, query):
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


VARIABLES = [
    {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1,
     "current": {}, "options": [], "includeAll": False, "multi": False},
    variable("instance", "Instance", "label_values(tidepool_build_info, instance)"),
    variable("pool", "Pool", 'label_values(tidepool_pool_cap{instance=~"$instance"}, pool)'),
]


def placed():
    """All panels with their ids and places: left to right, a new line when one is full, a heading before each row."""
    x = y = line = 0
    for heading, panels in [(None, OVERVIEW)] + ROWS:
        y, x, line = y + line, 0, 0
        if heading:
            yield {"type": "row", "title": heading, "collapsed": False, "panels": [],
                   "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
            y += 1
        for panel in panels:
            place = panel["gridPos"]
            if x + place["w"] > WIDTH:
                x, y = 0, y + line
            line = place["h"]
            yield {**panel, "gridPos": {"x": x, "y": y, **place}}
            x += place["w"]


def dashboard():
    return {
        "uid": "tidepool",
        "title": "Tidepool",
        "description": "Connection pool, queries and sessions of Tidepool.",
        "tags": ["tidepool", "tidb"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "10s",
        "timezone": "browser",
        "templating": {"list": VARIABLES},
        "annotations": {"list": []},
        "links": [],
        "panels": [{"id": number, **panel} for number, panel in enumerate(placed(), 1)],
    }


def main():
    text = json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text)
        return 0
    if TARGET.read_text() == text:
        return 0
    print("grafana/dashboards/tidepool.json is not what make_dashboard.py writes; run it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
