"""The drivers and command lines that people use connect and work, in the text and the binary protocol."""
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import ssl
import subprocess

import mysql.connector
import MySQLdb
import pymysql
import pytest

pytestmark = pytest.mark.quick

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def door(door_opener, tidb, account, authority):
    """With TLS for clients that want it."""
    certificate = authority.issue("localhost", "127.0.0.1")
    listener = {"tls": {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}}
    with door_opener(tidb, account, config={"listener": listener}) as opened:
        yield opened


def rows_of(connection, query, arguments=None):
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(query, arguments)
        return [tuple(row) for row in cursor.fetchall()]


def run(command, environment=None, seconds=60, stdin=subprocess.DEVNULL):
    answer = subprocess.run(
        [str(word) for word in command], stdin=stdin, capture_output=True, text=True, timeout=seconds,
        env=os.environ | (environment or {}),
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def variables_of(door):
    return {
        "DB_HOST": door.host, "DB_PORT": str(door.port), "DB_USER": door.account.user,
        "DB_PASSWORD": door.account.password, "DB_NAME": door.account.database,
    }  # fmt: skip


# --- Python


def open_mysqlclient(door, **others):
    arguments = {"host": door.host, "port": door.port, "user": door.account.user, "charset": "utf8mb4"}
    arguments |= {"password": door.account.password, "database": door.account.database, "autocommit": True}
    return MySQLdb.connect(**(arguments | others))


def open_connector(pure):
    return lambda door, **others: mysql.connector.connect(use_pure=pure, **door.arguments(**{"autocommit": True} | others))


PYTHON = {
    "mysqlclient": open_mysqlclient,
    "mysql-connector in Python": open_connector(True),
    "mysql-connector in C": open_connector(False),
    "PyMySQL": lambda door, **others: door.connect(**others),
}


@pytest.fixture(params=PYTHON)
def connect(door, request):
    opened = lambda **others: PYTHON[request.param](door, **others)  # noqa: E731
    # The first connection sets up the driver's C library, which is not made for several threads at once: it crashes.
    opened().close()
    return opened


def test_a_python_driver_works_from_twelve_threads_at_once(connect, table):
    name = table("id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100)")

    def work(number):
        with contextlib.closing(connect()) as connection:
            for turn in range(10):
                text = f"🐠 {number} {turn}"
                with contextlib.closing(connection.cursor()) as cursor:
                    cursor.execute(f"INSERT INTO {name} (v) VALUES (%s)", (text,))
                    inserted = cursor.lastrowid
                assert rows_of(connection, f"SELECT v FROM {name} WHERE id = %s", (inserted,)) == [(text,)]

    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        list(threads.map(work, range(12)))
    with contextlib.closing(connect()) as connection:
        assert rows_of(connection, f"SELECT COUNT(*), COUNT(DISTINCT v) FROM {name}") == [(120, 120)]


def test_a_python_driver_commits_and_rolls_back(connect, table):
    name = table("id INT PRIMARY KEY")
    with contextlib.closing(connect(autocommit=False)) as connection:
        rows = lambda: rows_of(connection, f"SELECT id FROM {name}")  # noqa: E731
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(f"INSERT INTO {name} VALUES (1)")
            connection.rollback()
            assert rows() == []
            cursor.execute(f"INSERT INTO {name} VALUES (2)")
        connection.commit()
        connection.rollback()
        assert rows() == [(2,)]


@pytest.mark.parametrize("pure", [True, False], ids=["Python", "C"])
def test_prepared_statements_are_reused_with_other_values_and_types(door, table, pure):
    name = table("id INT PRIMARY KEY, v VARCHAR(50)")
    opened = [open_connector(pure)(door) for _ in range(6)]
    cursors = [connection.cursor(prepared=True) for connection in opened]
    for number, cursor in enumerate(cursors):
        cursor.execute(f"INSERT INTO {name} VALUES (%s, %s)", (number, f"text {number}"))
    for value in (3, "3", 3.0):
        for number, cursor in enumerate(cursors):
            cursor.execute(f"SELECT %s + {number}, v FROM {name} WHERE id = %s", (value, number))
            ((total, text),) = cursor.fetchall()
            assert (float(total), text) == (3 + number, f"text {number}")
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("pure", [True, False], ids=["Python", "C"])
def test_a_schema_change_between_two_executes_is_noticed(door, table, pure):
    name = table("id INT PRIMARY KEY")
    with contextlib.closing(open_connector(pure)(door)) as connection:
        with contextlib.closing(connection.cursor(prepared=True)) as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {name} WHERE id > %s", (0,))
            assert cursor.fetchall() == [(0,)]
            with door.connect() as other:
                rows_of(other, f"ALTER TABLE {name} ADD COLUMN v INT DEFAULT 5")
                rows_of(other, f"INSERT INTO {name} (id) VALUES (1)")
            cursor.execute(f"SELECT COUNT(*) FROM {name} WHERE id > %s", (0,))
            assert cursor.fetchall() == [(1,)]


def test_a_cursor_of_the_server_is_fetched_in_parts_while_others_work(door):
    """COM_STMT_EXECUTE with a cursor, COM_STMT_FETCH, and statements of other clients in between."""
    with contextlib.closing(open_connector(True)(door)) as connection:
        statement = connection.cmd_stmt_prepare(
            b"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n ORDER BY i"
        )
        number = statement["statement_id"]
        answer = connection.cmd_stmt_execute(number, flags=1)
        columns = answer[1]
        got = []
        for _ in range(10):
            connection.cmd_stmt_fetch(number, 10)
            rows, _ = connection.get_rows(binary=True, columns=columns)
            got += [row[0] for row in rows]
            with door.connect() as other:
                assert rows_of(other, "SELECT 1") == [(1,)]
        assert got == list(range(1, 101))
        connection.cmd_stmt_close(number)
        assert rows_of(connection, "SELECT 2") == [(2,)]


def test_long_data_is_sent_in_parts(door, table):
    """COM_STMT_SEND_LONG_DATA, by the connector's own use of it for streams."""
    import io

    name = table("id INT PRIMARY KEY, v LONGBLOB")
    data = bytes(range(256)) * 4096
    with contextlib.closing(open_connector(True)(door)) as connection:
        with contextlib.closing(connection.cursor(prepared=True)) as cursor:
            cursor.execute(f"INSERT INTO {name} VALUES (%s, %s)", (1, io.BytesIO(data)))
        ((got,),) = rows_of(connection, f"SELECT v FROM {name}")
        assert bytes(got) == data


def test_several_statements_in_one_text_give_their_results_in_order(door, table):
    name = table("id INT PRIMARY KEY")
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with door.connect(client_flag=flag) as connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {name} VALUES (1), (2); SELECT COUNT(*) FROM {name}; SELECT 'last'")
        results = [(cursor.rowcount, tuple(cursor.fetchall()))]
        while cursor.nextset():
            results.append((cursor.rowcount, tuple(cursor.fetchall())))
        assert results == [(2, ()), (1, ((2,),)), (1, (("last",),))]
        with pytest.raises(pymysql.err.IntegrityError):
            cursor.execute(f"INSERT INTO {name} VALUES (3); INSERT INTO {name} VALUES (1); INSERT INTO {name} VALUES (4)")
            while cursor.nextset():
                pass
    with door.connect() as connection:
        assert rows_of(connection, f"SELECT id FROM {name} ORDER BY id") == [(1,), (2,), (3,)]


def test_a_client_without_the_flag_may_not_send_several_statements_although_another_may(door):
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    may_not = MySQLdb.connect(**door.arguments(), multi_statements=False)
    with door.connect(client_flag=flag) as may, contextlib.closing(may_not):
        for _ in range(3):
            assert rows_of(may, "SELECT 1; SELECT 2") == [(1,)]
            with pytest.raises(MySQLdb.Error) as caught:
                rows_of(may_not, "SELECT 1; SELECT 2")
            assert caught.value.args[0] == 8130
            assert rows_of(may_not, "SELECT 3") == [(3,)]


def test_affected_rows_follow_the_flag_that_each_client_has_set(door, table):
    """FOUND_ROWS is a property of a backend: two clients with and without it take turns."""
    name = table("id INT PRIMARY KEY, v INT")
    with door.connect(client_flag=pymysql.constants.CLIENT.FOUND_ROWS) as found, door.connect() as changed:
        rows_of(found, f"INSERT INTO {name} VALUES (1, 1)")
        for _ in range(5):
            for connection, rows in ((found, 1), (changed, 0)):
                with connection.cursor() as cursor:
                    assert cursor.execute(f"UPDATE {name} SET v = 1") == rows


@pytest.mark.parametrize("lines", [3, 200_000])
def test_local_infile_loads_a_file_of_the_client(door, table, tmp_path, lines):
    name = table("id INT PRIMARY KEY, v VARCHAR(50)")
    file = tmp_path / "rows.csv"
    file.write_text("".join(f"{number},line {number}\n" for number in range(lines)))
    statement = f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {name} FIELDS TERMINATED BY ','"
    with door.connect(local_infile=True) as connection:
        rows_of(connection, statement)
        assert rows_of(connection, f"SELECT COUNT(*), MAX(id) FROM {name}") == [(lines, lines - 1)]
    with door.connect(local_infile=True) as connection, pytest.raises(pymysql.err.MySQLError):
        rows_of(connection, statement.replace(str(file), "/no/such/file"))
    with door.connect() as connection:
        assert rows_of(connection, "SELECT 1") == [(1,)]


def test_local_infile_is_refused_to_a_client_that_does_not_offer_it(door, table):
    name = table("id INT PRIMARY KEY")
    with door.connect(local_infile=True) as offers, door.connect() as connection:
        assert rows_of(offers, "SELECT 1") == [(1,)]
        with pytest.raises(pymysql.err.MySQLError) as caught:
            rows_of(connection, f"LOAD DATA LOCAL INFILE '/dev/null' INTO TABLE {name}")
        assert caught.value.args[0] == 1148


def test_changing_the_user_starts_a_new_session(door):
    with contextlib.closing(open_connector(True)(door)) as connection:
        rows_of(connection, "SET @x = 1, time_zone = '+03:00'")
        connection.cmd_change_user(door.account.user, door.account.password, door.account.database)
        assert rows_of(connection, "SELECT @x, @@time_zone, DATABASE()") == [(None, "SYSTEM", door.account.database)]


def test_resetting_the_connection_starts_a_new_session(door):
    with contextlib.closing(open_connector(True)(door)) as connection:
        rows_of(connection, "SET @x = 1, time_zone = '+03:00', sql_mode = ''")
        connection.cmd_reset_connection()
        ((x, zone, mode),) = rows_of(connection, "SELECT @x, @@time_zone, @@sql_mode")
        assert (x, zone) == (None, "SYSTEM") and "ONLY_FULL_GROUP_BY" in mode


def test_a_connection_can_be_pinged_and_asked_for_its_version(door):
    with door.connect() as connection:
        connection.ping(reconnect=False)
        assert connection.get_server_info() == rows_of(connection, "SELECT VERSION()")[0][0]


# --- Logging in


def test_clients_with_native_passwords_log_in(door):
    with contextlib.closing(open_connector(True)(door, auth_plugin="mysql_native_password", ssl_disabled=True)) as c:
        assert rows_of(c, "SELECT 1") == [(1,)]


@pytest.fixture(scope="module")
def sha2_door(door_opener, tidb, authority):
    """The account of TiDB has such a password too."""
    account = tidb.new_account("sha2", plugin="caching_sha2_password")
    certificate = authority.issue("localhost", "127.0.0.1")
    listener = {"tls": {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}}
    with door_opener(tidb, account, config={"listener": listener}) as opened:
        yield opened


@pytest.mark.parametrize("transport", ["TLS", "TCP", "Unix socket"])
def test_clients_with_caching_sha2_passwords_log_in(sha2_door, authority, direct, transport):
    """Over TLS, and where TiDB itself cannot, over TCP with RSA and the Unix socket; a second login is the fast path."""
    if direct and transport != "TLS":
        pytest.skip("TiDB exchanges no RSA keys and has no socket here")
    command = ["mariadb", "--no-defaults", "--default-auth=caching_sha2_password", "-u", sha2_door.account.user]
    command += ["--batch", "--skip-column-names", "-e", "SELECT CURRENT_USER()"]
    command += {
        "TLS": ["--protocol=tcp", "--ssl", f"--ssl-ca={authority.path}", "--ssl-verify-server-cert"],
        "TCP": ["--protocol=tcp", "--skip-ssl"],
        "Unix socket": ["--socket", sha2_door.proxy and sha2_door.socket_path],
    }[transport]
    if transport != "Unix socket":
        command += ["-h", sha2_door.host, "-P", sha2_door.port]
    for _ in range(2):
        answer = run(command, {"MYSQL_PWD": sha2_door.account.password})
        assert answer == f"{sha2_door.account.user}@%\n"


def test_a_python_client_that_asks_for_caching_sha2_logs_in(sha2_door, authority):
    tls = {"ssl_ca": str(authority.path), "ssl_verify_cert": True, "ssl_verify_identity": True}
    with contextlib.closing(open_connector(True)(sha2_door, auth_plugin="caching_sha2_password", **tls)) as connection:
        assert rows_of(connection, "SELECT CURRENT_USER()") == [(f"{sha2_door.account.user}@%",)]


def test_tls_to_the_door_is_verified_by_name(door, authority):
    context = ssl.create_default_context(cafile=authority.path)
    context.check_hostname = True
    with door.connect(ssl=context) as connection:
        assert connection._sock.version() in ("TLSv1.2", "TLSv1.3")
        assert rows_of(connection, "SELECT REPEAT('x', 100000)") == [("x" * 100_000,)]


@pytest.mark.proxy_only
def test_the_unix_socket_serves_like_tcp(door):
    with door.connect(unix_socket=str(door.socket_path)) as connection:
        assert rows_of(connection, "SELECT DATABASE()") == [(door.account.database,)]


def test_a_compressed_connection_works(door, table):
    name = table("id INT PRIMARY KEY, v LONGTEXT")
    with contextlib.closing(open_connector(False)(door, compress=True)) as connection:
        for number in range(20):
            with contextlib.closing(connection.cursor()) as cursor:
                cursor.execute(f"INSERT INTO {name} VALUES (%s, %s)", (number, str(number) * 100_000))
        rows = rows_of(connection, f"SELECT id, v FROM {name} ORDER BY id")
        assert rows == [(number, str(number) * 100_000) for number in range(20)]


# --- Other languages


def test_mysql2_of_node_works(door):
    node = shutil.which("node")
    modules = ROOT / "build" / "e2e" / "node" / "node_modules"
    assert node and modules.exists(), "scripts/test installs Node and mysql2"
    environment = variables_of(door) | {"NODE_PATH": str(modules)}
    assert run([node, ROOT / "tests/e2e/node/client.js"], environment) == "ok\n"


def test_go_sql_driver_works_with_text_and_prepared_statements(door):
    client = ROOT / "build" / "e2e" / "go-client"
    assert client.exists(), "scripts/test builds it"
    assert run([client], variables_of(door)) == "ok\n"


# --- Command lines


@pytest.fixture(params=["mariadb", "mysql"])
def command_line(door, request):
    program = shutil.which(request.param)
    if not program:
        pytest.skip(f"no {request.param} here")

    def call(*options, query, socket=False):
        where = ["--socket", door.socket_path] if socket else ["--protocol=tcp", "-h", door.host, "-P", door.port]
        command = [program, "--no-defaults", *where, "-u", door.account.user, "-D", door.account.database]
        command += ["--batch", "--skip-column-names", "--connect-timeout=30", *options, "-e", query]
        return run(command, {"MYSQL_PWD": door.account.password})

    return call


def test_the_command_line_runs_statements_one_after_another(command_line, table):
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    query = f"INSERT INTO {name} VALUES (1, 'a'), (2, NULL); BEGIN; DELETE FROM {name}; ROLLBACK; SELECT * FROM {name}"
    assert command_line(query=query) == "1\ta\n2\tNULL\n"


def test_the_command_line_works_compressed(command_line):
    assert command_line("--compress", query="SELECT LENGTH(REPEAT('x', 5000000))") == "5000000\n"
    assert len(command_line("--compress", query="SELECT REPEAT('x', 5000000)")) == 5_000_001


def test_the_command_line_verifies_the_certificate_of_the_door(command_line, authority):
    options = ["--ssl", f"--ssl-ca={authority.path}", "--ssl-verify-server-cert"]
    assert command_line(*options, query="SELECT 1") == "1\n"


@pytest.mark.proxy_only
def test_the_command_line_connects_through_the_unix_socket(command_line):
    assert command_line(query="SELECT 1", socket=True) == "1\n"


def test_the_command_line_loads_a_local_file(command_line, table, tmp_path):
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    (tmp_path / "rows").write_text("1\ta\n2\tb\n")
    query = f"LOAD DATA LOCAL INFILE '{tmp_path}/rows' INTO TABLE {name}; SELECT * FROM {name}"
    assert command_line("--local-infile=1", query=query) == "1\ta\n2\tb\n"


def test_the_command_line_shows_status_and_changes_the_database(command_line, door):
    answer = command_line(query=f"STATUS; USE {door.account.database}; SELECT DATABASE()")
    assert f"Current database:\t{door.account.database}" in answer
    assert answer.endswith(f"{door.account.database}\n")


@pytest.mark.parametrize("encrypted", [True, False])
def test_show_status_tells_of_the_clients_own_encryption(door, authority, encrypted):
    context = ssl.create_default_context(cafile=authority.path) if encrypted else None
    with door.connect(ssl=context, ssl_disabled=not encrypted) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl%'")
        shown = dict(cursor.fetchall())
        cipher, version = (connection._sock.cipher()[0], connection._sock.version()) if encrypted else ("", "")
        ciphers = shown.pop("Ssl_cipher_list")
        verify_mode = "5" if encrypted else "0"
        own = {"Ssl_cipher": cipher, "Ssl_version": version, "Ssl_verify_mode": verify_mode}
        assert {name: value for name, value in shown.items() if name in own} == own
        assert cipher in ciphers and bool(ciphers) == encrypted
        assert cursor.description[1][3] == max(36, len(ciphers)) * 4
