"""One application with a synchronous SessionLocal and an asynchronous AsyncSessionLocal on the same tables.

The application has a pool of its own, as most have: its settings and Tidepool's must not get into each other's way.
"""
import asyncio
import concurrent.futures

import pytest
from sqlalchemy import String, create_engine, event, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

pytestmark = pytest.mark.quick

POOL = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 30, "pool_pre_ping": True}


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    visits: Mapped[int] = mapped_column(default=0)


@pytest.fixture(scope="module")
def engine(door):
    made = create_engine(door.url("pymysql"), **POOL)
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def SessionLocal(engine):
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
    return sessionmaker(bind=engine, autoflush=False, expire_on_commit=False)


@pytest.fixture(params=["aiomysql", "asyncmy"])
async def AsyncSessionLocal(door, engine, request):
    made = create_async_engine(door.url(request.param), **POOL)
    yield async_sessionmaker(bind=made, expire_on_commit=False)
    await made.dispose()


async def test_each_side_sees_what_the_other_has_committed(SessionLocal, AsyncSessionLocal):
    with SessionLocal() as session:
        session.add(User(name="ann"))
        session.commit()
    async with AsyncSessionLocal() as session:
        ann = await session.scalar(select(User).where(User.name == "ann"))
        ann.visits = 7
        session.add(User(name="bob"))
        await session.commit()
    with SessionLocal() as session:
        assert session.execute(select(User.name, User.visits).order_by(User.name)).all() == [("ann", 7), ("bob", 0)]
        session.delete(session.scalar(select(User).where(User.name == "bob")))
        session.commit()
    async with AsyncSessionLocal() as session:
        assert (await session.scalars(select(User.name))).all() == ["ann"]


async def test_nobody_sees_what_is_not_committed_or_rolled_back(SessionLocal, AsyncSessionLocal):
    count = select(func.count()).select_from(User)
    with SessionLocal() as session:
        session.add(User(name="ghost"))
        session.flush()
        async with AsyncSessionLocal() as other:
            assert await other.scalar(count) == 0
        session.rollback()
    async with AsyncSessionLocal() as session:
        session.add(User(name="ghost"))
        await session.flush()
        with SessionLocal() as other:
            assert other.scalar(count) == 0
        await session.rollback()
    with SessionLocal() as session:
        assert session.scalar(count) == 0


async def test_an_error_in_a_savepoint_leaves_the_transaction_usable(SessionLocal, AsyncSessionLocal):
    with SessionLocal() as session:
        session.add(User(name="once"))
        session.flush()
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text("INSERT INTO users (name, visits) VALUES ('once', 1)"))
        session.add(User(name="twice"))
        session.commit()
    async with AsyncSessionLocal() as session:
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                await session.execute(text("INSERT INTO users (name, visits) VALUES ('once', 1)"))
        await session.commit()
        assert (await session.scalars(select(User.name).order_by(User.name))).all() == ["once", "twice"]


async def test_a_session_reads_its_snapshot_until_it_ends(SessionLocal, AsyncSessionLocal):
    count = select(func.count()).select_from(User)
    with SessionLocal() as session:
        assert session.scalar(count) == 0
        async with AsyncSessionLocal() as other:
            other.add(User(name="late"))
            await other.commit()
        assert session.scalar(count) == 0
        session.rollback()
        assert session.scalar(count) == 1


async def test_no_op_updates_count_matched_rows_as_the_drivers_ask(SessionLocal, AsyncSessionLocal):
    """SQLAlchemy sets FOUND_ROWS; without it an update that changes nothing would look like a lost row."""
    with SessionLocal() as session:
        session.add(User(name="same", visits=3))
        session.commit()
        assert session.execute(update(User).values(visits=3)).rowcount == 1
        session.commit()
    async with AsyncSessionLocal() as session:
        assert (await session.execute(update(User).values(visits=3))).rowcount == 1
        await session.commit()


async def test_generated_ids_belong_to_the_session_that_inserted(SessionLocal, AsyncSessionLocal):
    async def insert(number):
        async with AsyncSessionLocal() as session:
            user = User(name=f"user {number}")
            session.add(user)
            await session.commit()
            return user.id, user.name

    ids = await asyncio.gather(*(insert(number) for number in range(40)))
    with SessionLocal() as session:
        assert sorted(session.execute(select(User.id, User.name)).all()) == sorted(ids)


async def test_concurrent_sessions_of_both_kinds_count_exactly(SessionLocal, AsyncSessionLocal):
    """Read, lock, add, commit: a lost update or a mixed-up session would show in the sum."""
    with SessionLocal() as session:
        session.add_all([User(name=f"counter {n}") for n in range(4)])
        session.commit()

    def add_sync(number):
        with SessionLocal() as session, session.begin():
            user = session.scalar(select(User).where(User.name == f"counter {number % 4}").with_for_update())
            user.visits += 1

    async def add_async(number):
        async with AsyncSessionLocal() as session, session.begin():
            statement = select(User).where(User.name == f"counter {number % 4}").with_for_update()
            (await session.scalar(statement)).visits += 1

    loop = asyncio.get_running_loop()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        sync = [loop.run_in_executor(threads, add_sync, number) for number in range(60)]
        await asyncio.gather(*sync, *(add_async(number) for number in range(60)))
    with SessionLocal() as session:
        assert session.scalars(select(User.visits)).all() == [30] * 4


async def test_session_settings_made_at_connect_hold_for_every_session_of_that_engine_only(door, AsyncSessionLocal):
    """The usual event hook that sets the time zone and mode, beside an engine without one."""
    made = create_engine(door.url("pymysql"), **POOL)

    @event.listens_for(made, "connect")
    def settings(connection, record):
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION time_zone = '+05:30', sql_mode = 'STRICT_ALL_TABLES'")

    query = text("SELECT @@time_zone, @@sql_mode")
    local = sessionmaker(bind=made)
    try:
        for _ in range(5):
            with local() as session:
                assert session.execute(query).one() == ("+05:30", "STRICT_ALL_TABLES")
            async with AsyncSessionLocal() as other:
                zone, mode = (await other.execute(query)).one()
                assert zone == "SYSTEM" and "ONLY_FULL_GROUP_BY" in mode
    finally:
        made.dispose()
