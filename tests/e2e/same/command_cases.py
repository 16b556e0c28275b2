"""Fixed programs, as in cases.py: odd commands and packets, clients that leave, users of one pool with different flags."""
import raw_protocol as raw

from .written import command, connect, query

COMMANDS = {
    "COM_REFRESH of privileges is a statement": [
        step for account in (0, 1) for step in [
            connect(0, raw.MULTI_STATEMENTS, account=account), connect(1), *query(0, "UPDATE {db}.t0 SET v = v + 1"), command(0, raw.REFRESH, "\1"),
            *query(0, "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SELECT 1/0"), command(0, raw.REFRESH, "\1\1"), *query(0, "SHOW WARNINGS"), *query(1, "SELECT 1"),
            *query(0, "SELECT ROW_COUNT() + 0, @@warning_count"), command(0, raw.REFRESH, "\3"), *query(0, "BEGIN", "INSERT INTO {db}.t0(v) VALUES (1)"),
            command(0, raw.REFRESH, "\1"), *query(1, "SELECT 1"), command(0, raw.PING), *query(0, "ROLLBACK", "SELECT COUNT(*) FROM {db}.t0"), command(0, raw.REFRESH, "\xff"),
        ]
    ],
    "a zero byte behind a text": [
        connect(0, raw.MULTI_STATEMENTS), connect(1),
        *(
            step
            for text in ("COMMIT\0", "SELECT ROW_COUNT()\0", "ROLLBACK TO none\0", "SET @a = 'x'\0", "\0", "-- c\0", "SELECT 1; SELECT ROW_COUNT()\0", "COMMIT \0 foo", "SELECT '\0'")
            for step in (*query(0, "UPDATE {db}.t0 SET v = v + 1", text), *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS", "SELECT ROW_COUNT(), @a"))
        ),
        *(
            step
            for n, text in enumerate(("SELECT 1, @@sql_mode\0", "SELECT 1, @@sql_mode", "SELECT 2\0\0", "\0"))
            for step in ((0, ("prepare", n, text)), (0, ("execute", n)), *query(1, "SELECT 1"), (0, ("execute", n)))
        ),
    ],
    "packets that are too short for their command": [
        connect(0), connect(1), (0, ("prepare", 1, "SELECT 1")),
        *(
            step
            for number in (raw.EXECUTE, raw.RESET_STATEMENT, raw.FETCH)
            for length in (0, 3, 4, 7, 8, 9)
            for step in (*query(0, "SELECT 1/0"), command(0, number, "\1\0\0\0\0\1\0\0\0"[:length]), *query(1, "SELECT 1"), command(0, raw.PING), *query(0, "SHOW WARNINGS"))
        ),
        command(0, raw.REFRESH), connect(0), *query(0, "SELECT 1"),
    ],
    "a command that the account may not give": [
        connect(0, account=1), connect(1), *query(0, "SELECT 1/0"), command(0, 8), *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS", "SELECT ROW_COUNT()"),
        command(0, raw.REFRESH, "\1"), *query(0, "SHOW ERRORS"),
    ],
    "the statements of a client that has left": [
        step
        for way in ("close", "quit", "part", "half", "half quit")
        for texts in (
            ("INSERT INTO {db}.t0(v) VALUES (8)",), ("BEGIN", "INSERT INTO {db}.t0(v) VALUES (9)", "COMMIT"), ("INSERT INTO {db}.t0(v) VALUES (1)", "SELEC", "UPDATE {db}.t0 SET v = v + 1"),
            ("SET autocommit = 0", "DELETE FROM {db}.t0"), ("SET @v = 3 + 4", "INSERT INTO {db}.t0(v) VALUES (@v), (LAST_INSERT_ID())"), (),
        )
        for step in (
            connect(0), connect(1), *query(0, "BEGIN", "INSERT INTO {db}.t0(v) VALUES (5)"), (0, ("depart", way, "{db}.t0", *texts)), *query(1, "SELECT * FROM {db}.t0 ORDER BY id"),
        )
    ],
    "two users of one pool with different flags": [
        step
        for flags in (0, raw.FOUND_ROWS, raw.FOUND_ROWS | raw.MULTI_STATEMENTS, raw.INTERACTIVE)
        for step in (
            connect(0, flags, account=0), connect(1, raw.FOUND_ROWS ^ flags, account=2), connect(2, account=2), *query(0, "UPDATE {db}.t0 SET v = v", "UPDATE {db}.t0 SET v = 5"),
            *query(1, "UPDATE {db}.t1 SET v = v", "SELECT ROW_COUNT()"), *query(2, "UPDATE {db}.t2 SET v = v; SELECT 1", "SELECT @@wait_timeout"), *query(0, "SELECT ROW_COUNT()"),
            (1, ("prepare", 1, "UPDATE {db}.t1 SET v = v")), (1, ("execute", 1)), (0, ("change_user", 0, "{db}")), *query(0, "UPDATE {db}.t0 SET v = v", "SELECT CURRENT_USER()"),
        )
    ],
}  # fmt: skip
