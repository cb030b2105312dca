"""Fixtures for every test: a broker, a PostgreSQL, or the whole product, each started on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as redis_library

from tests.services import postgres_programs, running_broker, running_postgres
from tests.stack import Stack
from tests.standins.process import StandIns

# What shares processes of one test session, by the fixture that says so: `make test` runs each of
# these in one of its lanes, so that few products and browsers are ever up at once.
SHARING = {
    "stack": "stack",
    "new_stack": "products",
    "web": "phone",
    "postgres_url": "postgres",
    "base_env": "workers",
    "standins": "providers",
    "playwright": "browser",
}
# What is quick goes first; a lane that has come to its end takes the next of the others.
ORDER = [
    *("unit", "service", "providers", "phone"),
    *("stack", "products", "postgres", "workers", "browser"),
]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what starts processes, and keep together what shares them."""
    kind = _kind(item)
    if kind in SHARING.values() and kind != "browser":
        item.add_marker(pytest.mark.service)
    if kind in SHARING.values():
        item.add_marker(pytest.mark.xdist_group(kind))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (ORDER.index(_kind(item)), "playwright" in _fixtures(item)))


def _kind(item: pytest.Item) -> str:
    used = _fixtures(item)
    for fixture, kind in SHARING.items():
        if fixture in used:
            return kind
    return "service" if item.get_closest_marker("service") else "unit"


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real broker that only this test run uses."""
    with running_broker(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture
def redis(broker: str) -> Iterator[redis_library.Redis]:
    """A client of that broker, which is empty when the test begins."""
    with redis_library.Redis.from_url(broker) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def running_standins() -> Iterator[StandIns]:
    process = StandIns()
    yield process
    process.stop()


@pytest.fixture
def standins(running_standins: StandIns) -> StandIns:
    """Language providers that were asked nothing yet; shared like the process they are in."""
    running_standins.reset()
    return running_standins


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product with its telephone; shared, so each test uses people of its own."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    running.give_telephone()
    try:
        running.start()
        # A service that is reached from outside makes none by itself.
        running.make_user("demo")
        yield running
    finally:
        running.stop()


@pytest.fixture
def new_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product not yet started, for one test that breaks or configures it."""
    made = Stack(tmp_path_factory.mktemp("new-stack"))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """DATABASE_URL of a real, empty PostgreSQL."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server program is installed; .ci/run installs one")
    with running_postgres(programs) as url:
        yield url
