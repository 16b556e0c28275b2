"""Runs inside gdb, around a program: writes each call of chosen functions, with the stack below it, as a line of JSON.

TRACE_FOLDER holds `functions`, with the address of each in the program's file; `main`'s is the first. The program's number is
written to `pid`. SIGWINCH then begins the trace, and `begun` tells so. The trace ends where its thread waits for events after
the function that TRACE_LAST names, and `calls` is there then. For Python 3 within gdb 13, without its own modules.
"""
import json
import os
import pathlib

import gdb

FOLDER = pathlib.Path(os.environ["TRACE_FOLDER"])
LAST = os.environ["TRACE_LAST"]
WAITS = ("epoll_wait", "epoll_pwait")
SETTINGS = (
    "pagination off", "confirm off", "debuginfod enabled off", "print thread-events off", "breakpoint always-inserted on",
    "environment DEBUGINFOD_URLS=",
)  # fmt: skip


def publish(name, text):
    """As a whole, or not at all."""
    part = FOLDER / f"{name}.part"
    part.write_text(text)
    part.rename(FOLDER / name)


def stack():
    """From the outside in, of functions with known files: [function, file]."""
    frames, frame = [], gdb.newest_frame()
    while frame is not None:
        place = frame.find_sal().symtab
        if frame.name() and place is not None:
            frames.append([frame.name(), place.fullname()])
        frame = frame.older()
    return frames[::-1]


class Trace:
    def __init__(self):
        self.calls = []
        self.thread = None
        self.is_over = False

    def note_call(self):
        thread = gdb.selected_thread().num
        if self.thread in (None, thread):
            self.thread = thread
            self.calls.append(stack())

    def ends_here(self):
        is_last = any(call[-1][0].startswith(LAST) for call in self.calls)
        self.is_over = is_last and gdb.selected_thread().num == self.thread
        return self.is_over


class Call(gdb.Breakpoint):
    def __init__(self, address, trace):
        super().__init__(f"*{address:#x}", internal=True)
        self.trace = trace

    def stop(self):
        self.trace.note_call()
        return False


class Wait(gdb.Breakpoint):
    def __init__(self, function, trace):
        super().__init__(function, internal=True)
        self.trace = trace

    def stop(self):
        return self.trace.ends_here()


def run():
    for setting in SETTINGS:
        gdb.execute(f"set {setting}")
    gdb.execute("handle SIGWINCH stop print nopass")
    gdb.execute("starti")
    publish("pid", str(gdb.selected_inferior().pid))
    gdb.execute("continue")  # until SIGWINCH
    main, *functions = (int(line, 16) for line in (FOLDER / "functions").read_text().split())
    base = int(gdb.parse_and_eval("(unsigned long)&main")) - main
    trace = Trace()
    breakpoints = [Call(base + address, trace) for address in functions] + [Wait(name, trace) for name in WAITS]
    publish("begun", str(len(breakpoints)))
    while not trace.is_over:
        gdb.execute("continue")
    publish("calls", "".join(json.dumps(call) + "\n" for call in trace.calls))
    gdb.execute("kill")


run()
