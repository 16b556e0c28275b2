"""sysbench's point selects: the proxies' CPU per query, throughput and p99, in rounds that take turns."""
from figures import Series, cpu_ns, show_table
from stand import Outcome

CLIENTS = (1, 16, 64)


class Lane:
    def __init__(self, side):
        self.side = side
        self.cpu, self.rate, self.p99 = Series(), Series(), Series()

    def measure(self, stand, clients, seconds):
        before = cpu_ns(self.side.pid) if self.side.pid else 0
        options = [f"--threads={clients}", f"--time={seconds}", "--db-ps-mode=disable"]
        outcome = Outcome.parse(stand.sysbench(self.side, "oltp_point_select", "run", *options))
        self.rate.add(outcome.per_second)
        self.p99.add(outcome.p99_ms)
        if self.side.pid:
            self.cpu.add((cpu_ns(self.side.pid) - before) / max(1, outcome.queries) / 1e3)


def row_of(clients, lanes):
    direct, tidepool, tcp = lanes["direct"], lanes["Tidepool"], lanes.get("HAProxy")
    return [
        clients,
        f"{direct.rate.median:.0f}",
        tcp.rate.over(direct.rate).text() if tcp else "-",
        tidepool.rate.over(direct.rate).text(),
        tcp.p99.over(direct.p99).text() if tcp else "-",
        tidepool.p99.over(direct.p99).text(),
        tcp.cpu.text(0) if tcp else "-",
        tidepool.cpu.text(0),
        tidepool.cpu.over(tcp.cpu).text() if tcp else "-",
    ]


def run(stand, rounds, seconds):
    rows = []
    with stand.tidepool() as (tidepool, _):
        for clients in CLIENTS:
            lanes = {side.name: Lane(side) for side in (stand.direct, stand.tcp_proxy, tidepool) if side}
            order = list(lanes.values())
            for _ in range(rounds):
                for lane in order:
                    lane.measure(stand, clients, seconds)
                order = order[1:] + order[:1]
            rows.append(row_of(clients, lanes))
    header = ["clients", "direct q/s", "rate HAProxy ×", "rate Tidepool ×", "p99 HAProxy ×", "p99 Tidepool ×"]
    header += ["CPU µs HAProxy", "CPU µs Tidepool", "CPU Tidepool/HAProxy"]
    show_table("sysbench oltp_point_select, pool of 5 + 10: ratios to direct TLS, CPU of the proxy per query", header, rows)
