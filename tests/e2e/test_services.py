"""Three services with an account and a database each in one Tidepool, and what a client is told that may not come in."""
import asyncio
import concurrent.futures

import pymysql
import pytest

pytestmark = pytest.mark.quick

NAMES = ("user", "project", "knowledge")


@pytest.fixture(scope="module")
def services(tidb):
    return [tidb.new_account(name) for name in NAMES]


@pytest.fixture(scope="module")
def shared_door(door_opener, tidb, services):
    with door_opener(tidb, *services) as opened:
        for service in services:
            with opened.connect(service) as connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE who (name VARCHAR(64) PRIMARY KEY)")
                cursor.execute("INSERT INTO who VALUES (%s)", (service.user,))
        yield opened


def rows_of(connection, query, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        return cursor.fetchall()


def error_of(call):
    with pytest.raises(pymysql.err.MySQLError) as caught:
        call()
    return caught.value.args


def test_each_service_sees_its_own_account_database_and_rows(shared_door, services):
    """Twelve clients at once on two backends an account."""

    def look(service):
        with shared_door.connect(service) as connection:
            for _ in range(20):
                who = rows_of(connection, "SELECT CURRENT_USER(), DATABASE(), name FROM who")
                assert who == ((f"{service.user}@%", service.database, service.user),)

    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        list(threads.map(look, services * 4))


def test_no_service_reaches_the_tables_of_another(shared_door, services):
    for service in services:
        for other in services:
            if other is service:
                continue
            with shared_door.connect(service) as connection:
                code, _ = error_of(lambda: rows_of(connection, f"SELECT * FROM {other.database}.who"))
                assert code == 1142
                code, _ = error_of(lambda: rows_of(connection, f"INSERT INTO {other.database}.who VALUES ('me')"))
                assert code == 1142
                code, _ = error_of(lambda: connection.select_db(other.database))
                assert code == 1044
                code, _ = error_of(lambda: rows_of(connection, f"USE {other.database}"))
                assert code == 1044
                assert rows_of(connection, "SELECT DATABASE(), name FROM who") == ((service.database, service.user),)


def test_logging_in_to_the_database_of_another_service_is_refused(shared_door, services):
    for service, other in zip(services, services[1:]):
        code, text = error_of(lambda: shared_door.connect(service, database=other.database))
        assert code == 1044
        assert "Access denied for user" in text and other.database in text


def test_the_databases_of_others_are_not_listed(shared_door, services):
    for service in services:
        with shared_door.connect(service) as connection:
            listed = {row[0] for row in rows_of(connection, "SHOW DATABASES")}
            assert listed & {each.database for each in services} == {service.database}


def test_a_wrong_password_is_error_1045(shared_door, services):
    for password in ("wrong", ""):
        code, text = error_of(lambda: shared_door.connect(services[0], password=password))
        assert code == 1045
        assert f"Access denied for user '{services[0].user}'@'" in text
        assert f"(using password: {'YES' if password else 'NO'})" in text


def test_the_password_of_another_service_and_an_unknown_user_are_error_1045(shared_door, services):
    code, _ = error_of(lambda: shared_door.connect(services[0], password=services[1].password))
    assert code == 1045
    code, text = error_of(lambda: shared_door.connect(services[0], user="nobody"))
    assert code == 1045
    assert "Access denied for user 'nobody'@'" in text


def test_an_unknown_database_is_error_1049(shared_door, services, tidb):
    """Who may see no such name gets 1044 from TiDB, who may see all gets 1049."""
    missing = "no_such_database"
    tidb.execute(f"GRANT ALL ON {missing}.* TO '{services[0].user}'@'%'")
    code, text = error_of(lambda: shared_door.connect(services[0], database=missing))
    assert (code, text) == (1049, f"Unknown database '{missing}'")
    with shared_door.connect(services[0]) as connection:
        assert error_of(lambda: connection.select_db(missing)) == (1049, f"Unknown database '{missing}'")
        assert error_of(lambda: rows_of(connection, f"USE {missing}")) == (1049, f"Unknown database '{missing}'")
        assert rows_of(connection, "SELECT DATABASE()") == ((services[0].database,),)


@pytest.mark.proxy_only
def test_too_many_clients_is_error_1040_and_a_leaving_one_makes_room(open_door, tidb):
    door = open_door(tidb.new_account(), size=2, config={"max_clients": 5})
    held = [door.connect() for _ in range(5)]
    code, text = error_of(door.connect)
    assert (code, text) == (1040, "Too many connections")
    held.pop().close()

    async def until_there_is_room():
        async with asyncio.timeout(10):
            while True:
                try:
                    return door.connect()
                except pymysql.err.OperationalError as error:
                    assert error.args[0] == 1040
                await asyncio.sleep(0.02)

    held.append(asyncio.run(until_there_is_room()))
    assert rows_of(held[-1], "SELECT 1") == ((1,),)
    for connection in held:
        connection.close()


@pytest.mark.proxy_only
def test_one_service_at_its_cap_does_not_hold_up_the_others(open_door, tidb):
    busy, free = tidb.new_account("busy"), tidb.new_account("free")
    door = open_door(busy, free, size=1, timeout="500ms")
    with door.connect(busy) as first, door.connect(busy) as second, door.connect(free) as other:
        first.begin()
        rows_of(first, "SELECT 1")
        code, text = error_of(lambda: rows_of(second, "SELECT 1"))
        assert code and "1" in text
        assert rows_of(other, "SELECT 1") == ((1,),)
        first.rollback()
        assert rows_of(second, "SELECT 2") == ((2,),)


@pytest.mark.proxy_only
def test_the_pools_keep_to_their_caps_in_tidbs_own_list(shared_door, services, tidb):
    connections = [shared_door.connect(service) for service in services for _ in range(5)]
    for connection in connections:
        rows_of(connection, "SELECT 1")
    for service in services:
        assert 1 <= len(tidb.connections_of(service)) <= 2
    for connection in connections:
        connection.close()
