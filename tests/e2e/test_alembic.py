"""Alembic migrations through the door, with the synchronous and the asynchronous environment that Alembic proposes."""
import contextlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.quick

MODELS = """
from sqlalchemy import Column, DateTime, ForeignKey, Integer, JSON, MetaData, Numeric, String, Table, func
metadata = MetaData()
Table("authors", metadata, Column("id", Integer, primary_key=True), Column("name", String(80), nullable=False, unique=True))
Table("books", metadata, Column("id", Integer, primary_key=True), Column("title", String(200), index=True),
      Column("author_id", Integer, ForeignKey("authors.id")), Column("price", Numeric(10, 2)), Column("extra", JSON))
"""
ADDED = """
Table("loans", metadata, Column("id", Integer, primary_key=True), Column("at", DateTime, server_default=func.now()))
metadata.tables["authors"].append_column(Column("email", String(120)))
"""
SYNC = """
from alembic import context
from sqlalchemy import create_engine, pool
import models

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=models.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
ASYNC = """
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine
import models

def migrate(connection):
    context.configure(connection=connection, target_metadata=models.metadata)
    with context.begin_transaction():
        context.run_migrations()

async def run():
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()

asyncio.run(run())
"""
TEMPLATE = '''
from alembic import op
import sqlalchemy as sa
revision, down_revision = ${repr(up_revision)}, ${repr(down_revision)}

def upgrade():
    ${upgrades if upgrades else "pass"}

def downgrade():
    ${downgrades if downgrades else "pass"}
'''


@pytest.mark.timeout(180)
@pytest.mark.parametrize("driver, environment", [("pymysql", SYNC), ("aiomysql", ASYNC), ("asyncmy", ASYNC)])
def test_migrations_are_generated_applied_and_taken_back(door_opener, tidb, tmp_path, driver, environment):
    account = tidb.new_account("alembic")
    with door_opener(tidb, account) as door:
        (tmp_path / "alembic.ini").write_text(
            "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = %(here)s\npath_separator = os\n"
            f"sqlalchemy.url = {door.url(driver).replace('%', '%%')}\n"
        )
        (tmp_path / "migrations" / "versions").mkdir(parents=True)
        (tmp_path / "migrations" / "env.py").write_text(environment)
        (tmp_path / "migrations" / "script.py.mako").write_text(TEMPLATE)
        (tmp_path / "models.py").write_text(MODELS)

        def alembic(*arguments, code=0):
            command = [sys.executable, "-m", "alembic", *arguments]
            answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert answer.returncode == code, answer.stdout + answer.stderr
            return answer.stdout

        def tables():
            with contextlib.closing(door.connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SHOW TABLES")
                return {row[0] for row in cursor.fetchall()} - {"alembic_version"}

        alembic("revision", "--autogenerate", "-m", "first", "--rev-id", "one")
        assert tables() == set()
        alembic("upgrade", "head")
        assert tables() == {"authors", "books"}
        alembic("check")
        (tmp_path / "models.py").write_text(MODELS + ADDED)
        alembic("check", code=255)
        alembic("revision", "--autogenerate", "-m", "second", "--rev-id", "two")
        generated = next((tmp_path / "migrations" / "versions").glob("two*.py")).read_text()
        assert "create_table('loans'" in generated and "add_column('authors'" in generated and "books" not in generated
        alembic("upgrade", "head")
        alembic("check")
        assert tables() == {"authors", "books", "loans"}
        assert "two (head)" in alembic("current")
        alembic("downgrade", "-1")
        assert tables() == {"authors", "books"}
        alembic("downgrade", "base")
        assert tables() == set()
