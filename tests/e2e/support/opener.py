"""Opens doors: proxies before a TiDB server, or the server itself."""
import contextlib

from .door import Door
from .tidepool import Tidepool

NO_TLS = {"mode": "disabled"}
# Fewer backends than nearly every test has clients, of which the last comes and goes.
SMALL = {"size": 2, "max_overflow": 1}
RUNNING = []  # the proxies that a failed test shows the logs of


def opener(authority, folder_of, direct=False):
    """open_door(server, account, size=…, pool keys…) is a context manager; `folder_of(name)` makes a proxy's folder."""

    @contextlib.contextmanager
    def open_door(server, account, *others, size=None, config=None, ready=True, tls=None, **pool):
        accounts = (account, *others)
        verified = {"mode": "verify_identity", "ca": str(authority.path)}
        if direct:
            yield Door(server, account, server.port, size=10**6)
            return
        pools = [
            {
                "name": each.user, "host": server.host, "port": server.port, "user": each.user,
                "password": each.password, "database": each.database,
                "tls": NO_TLS if tls == NO_TLS else verified | (tls or {}),
            }
            | (SMALL if size is None else {"size": size, "max_overflow": 0})
            | pool
            for each in accounts
        ]  # fmt: skip
        users = [
            {"name": each.user, "password": each.password, "pool": each.user, "database": each.database}
            for each in accounts
        ]
        settings = {"pools": pools, "users": users} | (config or {})
        proxy = Tidepool(folder_of("tidepool"), settings)
        RUNNING.append(proxy)
        try:
            proxy.start(ready)
            cap = pools[0]["size"] + pools[0]["max_overflow"]
            yield Door(server, account, proxy.port, proxy, size=cap)
        finally:
            RUNNING.remove(proxy)
            proxy.stop()

    return open_door
