"""The path that a reader follows through the files, of the calls that were traced.

It goes into each function that is called, and back to its caller where that goes on to call another one; a return after which
nothing more is called is no step. What headers and other layers do belongs to the .cc file of a chosen layer that called it. What
timers do meanwhile, such as the pool's clock, is left out.

A *change* is a step from one .cc file to another. A *look* is an excursion to one other file that calls nothing in a third one: a
question, answered behind a name of its own, there and back, where the caller may have nothing more to do itself. The changes without looks tell how often the thread itself moves
on to another file.
"""
import dataclasses
import re

TIMER = "/src/net/timer.cc"
SOURCE = re.compile(r"/src/(\w+)/(?:.*/)?\w+\.cc$")
QUALIFIERS = re.compile(r"^(tidepool::)?([a-z]\w*::)*")


@dataclasses.dataclass(frozen=True)
class Step:
    depth: int
    file: str
    function: str


def short_name(function):
    """Class and method. A lambda has no name in the stack."""
    if function.startswith("operator()"):
        return "(lambda)"
    plain = function.replace("(anonymous namespace)::", "").replace("[abi:cxx11]", "").split("(")[0]
    return QUALIFIERS.sub("", plain)


def frames_of(stack, layers):
    """Those of .cc files of the layers: file and function, from the outside in."""
    found = []
    for function, file in stack:
        source = SOURCE.search(file)
        if source and source[1] in layers:
            found.append((file[file.rindex("/src/") + 1 :], short_name(function)))
    return found


def path_of(stacks, layers):
    """`stacks`: one for each call, whose last frame is the function that is called."""
    path, before = [], []
    for stack in stacks:
        if not frames_of(stack[-1:], layers) or any(file.endswith(TIMER) for _, file in stack):
            continue
        frames = frames_of(stack, layers)
        shared = 0
        while shared < min(len(before), len(frames) - 1) and before[shared] == frames[shared]:
            shared += 1
        if 0 < shared < len(before):
            path.append(Step(shared - 1, *frames[shared - 1]))
        path += [Step(depth, *frames[depth]) for depth in range(shared, len(frames))]
        before = frames
    return path


def runs_of(path):
    """The steps that follow one another in one file, together."""
    runs = []
    for step in path:
        if not runs or runs[-1][-1].file != step.file:
            runs.append([])
        runs[-1].append(step)
    return runs


def visits_of(path):
    """The files in order, each as often as the path comes to it."""
    return [run[0].file for run in runs_of(path)]


def without_looks(path):
    """The visits without each look. What becomes a look only when others are taken out stays."""
    runs, kept = runs_of(path), []
    for index, run in enumerate(runs):
        is_within = 0 < index < len(runs) - 1
        is_look = is_within and runs[index - 1][-1].depth < run[0].depth > runs[index + 1][0].depth
        if not is_look and (not kept or kept[-1] != run[0].file):
            kept.append(run[0].file)
    return kept
