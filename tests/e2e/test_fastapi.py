"""A FastAPI application with a get_async_db() dependency, served by uvicorn, under load from more clients than backends."""
import asyncio
import contextlib

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from support.processes import free_port

pytestmark = pytest.mark.quick

CLIENTS, ITEMS = 40, 10


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]


def make_application(AsyncSessionLocal):
    application = FastAPI()

    async def get_async_db():
        async with AsyncSessionLocal() as session:
            try:
                yield session
                await session.commit()
            except Exception:
                await session.rollback()
                raise

    @application.post("/items/{owner}/{number}")
    async def create(owner: str, number: int, db: AsyncSession = Depends(get_async_db)):
        item = Item(owner=owner, number=number)
        db.add(item)
        await db.flush()
        if number < 0:
            raise HTTPException(422, "negative")
        return {"id": item.id}

    @application.get("/items/{owner}")
    async def read(owner: str, db: AsyncSession = Depends(get_async_db)):
        rows = await db.scalars(select(Item.number).where(Item.owner == owner).order_by(Item.number))
        return list(rows)

    return application


@contextlib.asynccontextmanager
async def serve(application):
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=free_port(), log_level="warning"))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.config.port}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 20)


@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
async def test_every_request_under_load_gets_its_own_answer(door, driver):
    engine = create_async_engine(
        door.url(driver), pool_size=5, max_overflow=10, pool_timeout=30, pool_pre_ping=True, pool_recycle=300
    )
    AsyncSessionLocal = async_sessionmaker(bind=engine, expire_on_commit=False)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)

    async def use(client, owner):
        for number in range(ITEMS):
            assert (await client.post(f"/items/{owner}/{number}")).status_code == 200
        assert (await client.post(f"/items/{owner}/-1")).status_code == 422
        assert (await client.get(f"/items/{owner}")).json() == list(range(ITEMS))

    async with serve(make_application(AsyncSessionLocal)) as address:
        limits = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits, trust_env=False) as client:
            await asyncio.gather(*(use(client, f"owner-{number}") for number in range(CLIENTS)))
    async with AsyncSessionLocal() as session:
        assert await session.scalar(select(func.count()).select_from(Item)) == CLIENTS * ITEMS
    await engine.dispose()
