"""One session's program while another session uses the pool's only backend between its statements."""
import pymysql


def ask(connection, text):
    """The rows, or the error."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(text)
            return cursor.fetchall()
        except pymysql.err.MySQLError as error:
            return error.args


def directly(tidb, account):
    return pymysql.connect(
        host="127.0.0.1", port=tidb.port, user=account.user, password=account.password, database=account.database,
        autocommit=True,
    )  # fmt: skip


def run(connection, program, intrude=lambda: None):
    answers = []
    for text in program:
        answers.append((text, ask(connection, text)))
        intrude()
    return answers


def intruder(door, question, wanted):
    """Asks as an older session and as a new one, whenever the backend is free."""
    older = door.connect()

    def intrude():
        if door.proxy is None or door.proxy.metric("tidepool_backends", state="idle") >= 1:
            assert ask(older, question) == wanted
            with door.connect() as new:
                assert ask(new, question) == wanted

    return older, intrude
