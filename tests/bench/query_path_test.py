#!/usr/bin/env python3
"""What a change of file is on the path of a statement."""
import unittest

from call_path import path_of, short_name, visits_of, without_looks

SESSION = ["tidepool::session::Session::on_packet", "/x/src/session/session.cc"]
COMMANDS = ["tidepool::session::Session::on_command", "/x/src/session/session_commands.cc"]
STATE = ["tidepool::session::may_follow", "/x/src/session/state.cc"]
EFFECTS = ["tidepool::session::(anonymous namespace)::apply", "/x/src/session/sub/effects.cc"]
BROKER = ["tidepool::pool::Broker::release", "/x/src/pool/broker.cc"]
STREAM = ["tidepool::net::Stream::on_poll", "/x/src/net/stream.cc"]
TIMER = ["tidepool::net::Timer::fire", "/x/src/net/timer.cc"]
HEADER = ["tidepool::session::Session::id", "/x/include/tidepool/session/session.h"]


def visits(*stacks, layers=("session",)):
    return [file.rpartition("/")[2][:-3] for file in visits_of(path_of(stacks, layers))]


def moves(*stacks):
    return [file.rpartition("/")[2][:-3] for file in without_looks(path_of(stacks, ("session",)))]


class CallPathTest(unittest.TestCase):
    def test_a_call_into_another_file_is_a_change(self):
        self.assertEqual(visits([SESSION], [SESSION, COMMANDS]), ["session", "session_commands"])

    def test_so_is_the_way_back_if_the_caller_goes_on(self):
        stacks = [[SESSION], [SESSION, STATE], [SESSION, COMMANDS]]

        self.assertEqual(visits(*stacks), ["session", "state", "session", "session_commands"])

    def test_a_second_call_of_one_function_is_a_visit_of_its_own(self):
        self.assertEqual(visits([SESSION], [SESSION, STATE], [SESSION, STATE]), ["session", "state", "session", "state"])

    def test_a_callback_of_the_loop_begins_anew(self):
        self.assertEqual(visits([STREAM, SESSION], [STREAM, SESSION, STATE], [STREAM, COMMANDS]), ["session", "state", "session_commands"])

    def test_headers_and_other_layers_belong_to_the_file_that_called_them(self):
        stacks = [[STREAM, SESSION], [STREAM, SESSION, HEADER], [STREAM, SESSION, BROKER], [STREAM, SESSION, BROKER, STATE]]

        self.assertEqual(visits(*stacks), ["session", "state"])
        self.assertEqual(visits(*stacks, layers=("session", "pool")), ["session", "broker", "state"])

    def test_what_a_timer_does_is_left_out(self):
        self.assertEqual(visits([SESSION], [TIMER, COMMANDS], [SESSION, STATE]), ["session", "state"])

    def test_a_look_is_there_and_back_and_nothing_further(self):
        stacks = [[SESSION], [SESSION, STATE], [SESSION, COMMANDS], [SESSION, COMMANDS, EFFECTS], [SESSION, STATE]]

        self.assertEqual(moves(*stacks), ["session", "session_commands", "session", "state"])

    def test_what_calls_a_third_file_is_no_look(self):
        stacks = [[SESSION], [SESSION, COMMANDS], [SESSION, COMMANDS, EFFECTS], [SESSION, COMMANDS, EFFECTS, STATE], [SESSION, STATE]]

        self.assertEqual(moves(*stacks), ["session", "session_commands", "effects", "session", "state"])

    def test_a_look_may_be_the_last_thing_that_its_caller_does(self):
        stacks = [[SESSION], [SESSION, COMMANDS], [SESSION, COMMANDS, STATE], [SESSION, EFFECTS], [SESSION, EFFECTS, COMMANDS]]

        self.assertEqual(moves(*stacks), ["session", "session_commands", "session", "effects", "session_commands"])

    def test_functions_have_class_and_method(self):
        self.assertEqual(short_name("tidepool::session::Session::on_packet(int)"), "Session::on_packet")
        self.assertEqual(short_name("tidepool::session::(anonymous namespace)::apply(int)"), "apply")
        self.assertEqual(short_name("tidepool::session::framed[abi:cxx11](int)"), "framed")
        self.assertEqual(short_name("operator()(int) const"), "(lambda)")


if __name__ == "__main__":
    unittest.main()
