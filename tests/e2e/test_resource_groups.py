"""SET RESOURCE GROUP through a pool of one backend that another session uses in between: every answer is that of a direct
connection, for an account that has a group of its own."""
import pytest

from support.tidb import Account
from support.turns import ask, directly, intruder, run

pytestmark = pytest.mark.quick

ASK = "SELECT CURRENT_RESOURCE_GROUP()"
PROGRAMS = {
    "set": ["SET RESOURCE GROUP Tide_B", ASK, "SET RESOURCE GROUP `tide_c`", ASK, "SET RESOURCE GROUP DEFAULT", ASK],
    "unknown": ["SET RESOURCE GROUP tide_b", "SET RESOURCE GROUP nobody", "SHOW WARNINGS", ASK],
    "in a transaction": ["BEGIN", "SET RESOURCE GROUP tide_b", ASK, "ROLLBACK", ASK],
    "after SET TRANSACTION": ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET RESOURCE GROUP tide_c", ASK, "BEGIN",
                              "SELECT @@transaction_isolation", "COMMIT", ASK],
    "prepared": ["PREPARE p FROM 'SET RESOURCE GROUP tide_b'", "EXECUTE p", ASK, "DEALLOCATE PREPARE p", ASK],
}  # fmt: skip


@pytest.fixture(scope="module")
def member(tidb):
    account = tidb.new_account("grouped")
    tidb.execute(
        *(f"CREATE RESOURCE GROUP {name} RU_PER_SEC = 1000000 BURSTABLE" for name in ("tide_a", "tide_b", "tide_c")),
        f"ALTER USER '{account.user}'@'%' RESOURCE GROUP tide_a",
        f"GRANT RESOURCE_GROUP_USER ON *.* TO '{account.user}'@'%'",
    )
    return Account(account.user, account.password, account.database)


@pytest.fixture
def single(door_opener, tidb, member):
    with door_opener(tidb, member, size=1, timeout="2s") as opened:
        yield opened


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_resource_group_is_that_of_a_session_of_its_own(single, tidb, member, name):
    with directly(tidb, member) as alone, single.connect() as a:
        assert ask(alone, ASK) == (("tide_a",),)
        older, intrude = intruder(single, ASK, (("tide_a",),))
        with older:
            assert run(a, PROGRAMS[name], intrude) == run(alone, PROGRAMS[name])
