"""Drivers that prepare, execute and close every time cost TiDB one command each time."""
import contextlib

import mysql.connector
import pytest

pytestmark = [pytest.mark.quick, pytest.mark.proxy_only]

TIMES = 50


def connect(door):
    account = door.account
    return mysql.connector.connect(
        host=door.host, port=door.port, user=account.user, password=account.password, database=account.database,
        use_pure=True, autocommit=True, ssl_disabled=True,
    )  # fmt: skip


def once(connection, query, arguments):
    """Prepares, executes and closes."""
    with contextlib.closing(connection.cursor(prepared=True)) as cursor:
        cursor.execute(query, arguments)
        return [tuple(row) for row in cursor.fetchall()] if cursor.with_rows else None


def counts(door):
    metric = door.proxy.metric
    return {
        "memory": metric("tidepool_prepares_total", source="memory"), "tidb": metric("tidepool_prepares_total", source="tidb"),
        "leases": metric("tidepool_leases_total"), "restores": metric("tidepool_restores_total"),
    }  # fmt: skip


def test_one_round_trip_in_the_steady_state(open_door, account, table):
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    door = open_door(account, size=1)
    with contextlib.closing(connect(door)) as connection, contextlib.closing(connect(door)) as other:
        once(connection, f"INSERT INTO {name} VALUES (?, ?)", (0, "zero"))
        once(connection, f"SELECT v FROM {name} WHERE id = ?", (0,))
        before = counts(door)
        for i in range(1, TIMES + 1):
            once(connection, f"INSERT INTO {name} VALUES (?, ?)", (i, str(i)))
            assert once(other, f"SELECT v FROM {name} WHERE id = ?", (i,)) == [(str(i),)]
        after = counts(door)
    assert {key: after[key] - before[key] for key in after} == {
        "memory": 2 * TIMES, "tidb": 0, "leases": 2 * TIMES, "restores": 0,
    }  # fmt: skip


def test_a_change_of_the_table_shows_at_once(open_door, account, table):
    name = table("a INT")
    door = open_door(account, size=2)
    with contextlib.closing(connect(door)) as connection, contextlib.closing(connect(door)) as other:
        for session in (connection, other):
            once(session, f"INSERT INTO {name} VALUES (?)", (1,))
            assert set(once(session, f"SELECT * FROM {name} WHERE a = ?", (1,))) == {(1,)}
        once(other, f"ALTER TABLE {name} ADD COLUMN b INT DEFAULT 2", ())
        for session in (connection, other):
            assert set(once(session, f"SELECT * FROM {name} WHERE a = ?", (1,))) == {(1, 2)}
        once(connection, f"ALTER TABLE {name} DROP COLUMN a", ())
        with pytest.raises(mysql.connector.Error) as refused:
            once(other, f"SELECT * FROM {name} WHERE a = ?", (1,))
        assert refused.value.errno == 1054
