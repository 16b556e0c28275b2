#!/usr/bin/env python3
"""What the counts are read from, and how they are compared."""
import pathlib
import tempfile
import unittest

import count_table
import strace
from callgrind import Dump
from count_table import Key, Table

DUMP = """\
# callgrind format
version: 1
positions: line
events: Ir

ob=(1) /somewhere/tidepool
fl=(1) lexer.cc
fn=(1) tidepool::sql::Lexer::next()
10 5
+1 7
cob=(2) /usr/lib/libstdc++.so.6.0.30
cfi=(2) ???
cfn=(2) operator new(unsigned long)
calls=3 0
* 900
-2 1

fn=(3) void std::sort<tidepool::pool::Node*>(tidepool::pool::Node*)
20 40
fn=(4) std::vector<char>::reserve(unsigned long)
30 2
fn=(5) tidepool::to_string[abi:cxx11](int)
40 4

ob=(2)
fn=(2)
0 30
cob=(3) /usr/lib/libc.so.6
cfn=(6) malloc
calls=3 0
0 800

ob=(3)
fn=(6)
0 500
cfn=(7) calloc
calls=1 0
0 100

ob=(4) /somewhere/libslow_clock.so
fn=(8) clock_gettime
0 11
cob=(3)
cfn=(6)
calls=1 0
0 100

ob=(5) /usr/lib/libcrypto.so.3
fn=(9) CRYPTO_malloc
0 6
cob=(3)
cfn=(6)
calls=2 0
0 50

totals: 606
"""

TRACE = """\
7 read(14, ""..., 65536)            = 35
8 epoll_wait(5,  <unfinished ...>
7 epoll_ctl(5, EPOLL_CTL_ADD, 9, {events=EPOLLIN}) = 0
7 epoll_wait(5, [], 1024, 12)       = 0
8 <... epoll_wait resumed>[{events=EPOLLIN}], 1024, 12) = 1
8 write(14, ""..., 12)              = -1 EAGAIN (Resource temporarily unavailable)
7 --- SIGCHLD {si_signo=SIGCHLD} ---
8 <... epoll_pwait resumed>[], 1024, 12, NULL, 8) = 0
""".splitlines(keepends=True)


class DumpTest(unittest.TestCase):
    def setUp(self):
        self.dump = Dump(DUMP.splitlines(keepends=True))

    def test_instructions_are_those_of_a_function_itself_by_layer_and_library(self):
        self.assertEqual(
            self.dump.instructions,
            {"sql": 13, "pool": 40, "templates": 2, "base": 4, "libstdc++": 30, "libc": 500, "OpenSSL": 6},
        )

    def test_an_allocation_is_counted_once_for_who_asked_for_it(self):
        self.assertEqual(self.dump.allocations, {"sql": 3, "OpenSSL": 2})


class StraceTest(unittest.TestCase):
    def test_a_call_is_counted_when_it_returns_but_not_a_wait_that_time_has_ended(self):
        self.assertEqual(strace.count(TRACE), {"read": 1, "epoll_ctl": 1, "epoll_wait": 1, "write": 1})


def compare(before, now, is_compared=lambda key: True):
    """What grew and what fell, each as (figure, of)."""
    tables = [{Key(figure, of, "a case"): count for (figure, of), count in counts.items()} for counts in (before, now)]
    return tuple([(c.key.figure, c.key.of) for c in changes] for changes in count_table.compare(*tables, is_compared))


class TableTest(unittest.TestCase):
    def test_instructions_may_differ_by_three_percent(self):
        of = ("instructions", "sql")
        self.assertEqual(compare({of: 10_000}, {of: 10_300}), ([], []))
        self.assertEqual(compare({of: 10_000}, {of: 10_301}), ([of], []))
        self.assertEqual(compare({of: 10_000}, {of: 9_699}), ([], [of]))

    def test_a_few_instructions_of_a_small_part_may_come_and_go(self):
        of = ("instructions", "base")
        self.assertEqual(compare({of: 100}, {of: 125}), ([], []))
        self.assertEqual(compare({of: 100}, {of: 126}), ([of], []))
        self.assertEqual(compare({}, {of: 25}), ([], []))

    def test_instructions_of_a_library_may_differ_more(self):
        of = ("instructions", "libc")
        self.assertEqual(compare({of: 10_000}, {of: 11_500}), ([], []))
        self.assertEqual(compare({of: 10_000}, {of: 11_501}), ([of], []))

    def test_allocations_and_system_calls_may_not_differ(self):
        new, write = ("allocations", "session"), ("system calls", "write")
        self.assertEqual(compare({new: 9, write: 1}, {new: 9.01, write: 1.04}), ([], []))
        self.assertEqual(compare({new: 9, write: 1}, {new: 9.1, write: 1.1}), ([new, write], []))

    def test_what_is_in_one_of_the_tables_only_is_zero_in_the_other(self):
        read, write = ("system calls", "read"), ("system calls", "write")
        self.assertEqual(compare({read: 1}, {write: 1}), ([write], [read]))

    def test_what_is_not_to_be_compared_may_differ(self):
        of = ("instructions", "libc")
        self.assertEqual(compare({of: 10}, {of: 10_000}, lambda key: key.of != "libc"), ([], []))

    def test_a_table_is_read_as_it_was_written(self):
        counts = {
            Key("instructions", "all", "first"): 39_600.0,
            Key("instructions", "all", "second"): 37_000.0,
            Key("instructions", "sql", "first"): 6_700.0,
            Key("system calls", "close", "second"): 0.25,
        }
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "table")
            count_table.write(path, Table("libc6 2.36, libuv1 1.44", counts))
            self.assertEqual(count_table.read(path), Table("libc6 2.36, libuv1 1.44", counts))


if __name__ == "__main__":
    unittest.main()
