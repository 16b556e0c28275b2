"""How many statements need a restore, under loads with more clients than backends."""
import asyncio
import concurrent.futures
import contextlib
import itertools
import time

from figures import show_table
from sqlalchemy import String, create_engine, event, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from stand import ACCOUNT

THREADS, TASKS = 24, 24
COUNTERS = {
    "queries": "tidepool_queries_total",
    "leases": "tidepool_leases_total",
    "restores": "tidepool_restores_total",
    "statements": "tidepool_restore_statements_total",
    "captures": "tidepool_captures_total",
    "variants": "tidepool_backends_retired_total",
}


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "share_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    visits: Mapped[int] = mapped_column(default=0)


def counters_of(proxy):
    labels = {"variants": {"reason": "variant"}}
    return {name: proxy.metric(metric, **labels.get(name, {})) for name, metric in COUNTERS.items()}


def difference(before, after):
    return {name: after[name] - before[name] for name in before}


def row_of(name, counts):
    queries = max(1, counts["queries"])
    percent = [f"{100 * counts[key] / queries:.2f} %" for key in ("leases", "restores", "statements", "captures")]
    return [name, f"{counts['queries']:.0f}", *percent, f"{counts['variants']:.0f}"]


def url(side, driver):
    return f"mysql+{driver}://{ACCOUNT.user}:{ACCOUNT.password}@127.0.0.1:{side.port}/{ACCOUNT.database}?charset=utf8mb4"


def deed(number, name):
    """Add, read, change, count: a request of a web service."""

    def add(session):
        session.add(Item(name=name))

    def change(item):
        item.visits += 1

    return add, select(Item).where(Item.name == name).limit(1), change, select(func.count()).where(Item.visits > number)


def work_sync(engine, number, end):
    local = sessionmaker(bind=engine)
    for turn in itertools.count():
        if time.monotonic() > end:
            return
        add, find, change, count = deed(number, f"sync {number} {turn % 20}")
        with local() as session:
            add(session)
            session.commit()
            change(session.scalars(find).first())
            session.commit()
            session.scalar(count)


async def work_async(engine, number, end):
    local = async_sessionmaker(bind=engine)
    for turn in itertools.count():
        if time.monotonic() > end:
            return
        add, find, change, count = deed(number, f"async {number} {turn % 20}")
        async with local() as session:
            add(session)
            await session.commit()
            change((await session.scalars(find)).first())
            await session.commit()
            await session.scalar(count)


def set_time_zone(engine, zone):
    """The usual hook."""

    @event.listens_for(engine, "connect")
    def settings(connection, record):
        cursor = connection.cursor()
        cursor.execute(f"SET time_zone = '{zone}'")
        cursor.close()


async def run_orm(side, seconds, zones):
    """Synchronous sessions in threads and asynchronous ones in tasks, each engine with a pool as large as needed."""
    sync = create_engine(url(side, "pymysql"), pool_size=THREADS, pool_pre_ping=True)
    asynchronous = create_async_engine(url(side, "aiomysql"), pool_size=TASKS, pool_pre_ping=True)
    if zones:
        set_time_zone(sync, "+01:00")
        set_time_zone(asynchronous.sync_engine, "+02:00")
    end = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
        jobs = [loop.run_in_executor(threads, work_sync, sync, number, end) for number in range(THREADS)]
        await asyncio.gather(*jobs, *(work_async(asynchronous, number, end) for number in range(TASKS)))
    await asynchronous.dispose()
    sync.dispose()


def run(stand, seconds):
    rows = []
    with contextlib.ExitStack() as stack:
        side, proxy = stack.enter_context(stand.tidepool(size=5, max_overflow=3))
        engine = create_engine(url(side, "pymysql"))
        Base.metadata.create_all(engine)
        engine.dispose()

        def measure(name, load):
            before = counters_of(proxy)
            load()
            rows.append(row_of(name, difference(before, counters_of(proxy))))

        for mode in ("disable", "auto"):
            options = ["--threads=64", f"--time={seconds}", f"--db-ps-mode={mode}"]
            name = f"sysbench oltp_read_write, {'text' if mode == 'disable' else 'prepared'}, 64 clients"
            measure(name, lambda: stand.sysbench(side, "oltp_read_write", "run", *options))
        for zones in (False, True):
            name = f"SQLAlchemy ORM, {THREADS} threads and {TASKS} tasks" + (", a time zone each" if zones else "")
            measure(name, lambda: asyncio.run(run_orm(side, seconds, zones)))
    show_table(
        "Share of statements that needed something before them, on 5 + 3 backends",
        ["load", "statements", "leases", "restores", "sent for them", "captures", "variants retired"],
        rows,
    )
