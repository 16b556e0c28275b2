"""Where the clients of a test connect: a Tidepool, or with --direct TiDB itself."""
import dataclasses
import pathlib
import urllib.parse

import pymysql

from .tidb import Account, TidbServer
from .tidepool import Tidepool


@dataclasses.dataclass
class Door:
    tidb: TidbServer
    account: Account
    port: int
    proxy: Tidepool | None = None  # None with --direct
    host: str = "127.0.0.1"
    size: int = 0  # most backends of the account

    @property
    def socket_path(self) -> pathlib.Path:
        return self.proxy.socket_path

    def arguments(self, account=None, **others):
        """Keyword arguments that PyMySQL, aiomysql, asyncmy and mysql-connector share."""
        account = account or self.account
        return {
            "host": self.host,
            "port": self.port,
            "user": account.user,
            "password": account.password,
            "database": account.database,
        } | others

    def connect(self, account=None, **others):
        """PyMySQL with autocommit, each wait bounded."""
        bounds = {"connect_timeout": 60, "read_timeout": 60, "write_timeout": 60, "autocommit": True}
        return pymysql.connect(**self.arguments(account, **(bounds | others)))

    def url(self, driver, account=None, query="charset=utf8mb4"):
        """As an application's settings would have it."""
        account = account or self.account
        password = urllib.parse.quote(account.password, safe="")
        return f"mysql+{driver}://{account.user}:{password}@{self.host}:{self.port}/{account.database}?{query}"
