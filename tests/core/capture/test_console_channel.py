"""Hand a channel from a process that is killed to another one."""

from __future__ import annotations

import json
import subprocess
import sys

KILL_AT_EVERY_STEP = """
import json, os, signal, sys
from tracker.capture import console_channel

def killed_at(step):
    source, typed = os.pipe()
    shown, target = os.pipe()
    kept, keep = os.pipe()
    channel = console_channel.Channel(source, target, lambda line: os.write(keep, line.encode()))
    os.write(typed, b"one\\ntwo\\nhal")
    pid = os.fork()
    if pid == 0:
        left = step

        def trace(frame, event, argument):
            nonlocal left
            if frame.f_code.co_filename != console_channel.__file__:
                return None
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        channel.pump()
        os._exit(0)
    killed = os.waitpid(pid, 0)[1] != 0
    channel.take_over()
    os.write(typed, b"f\\n")
    channel.drain()
    return killed, os.read(shown, 1000).decode(), os.read(kept, 1000).decode()

step, results = 0, []
while True:
    *result, = killed_at(step)
    results.append(result)
    if not result[0]:
        break
    step += 1
print(json.dumps(results))
"""


def test_a_process_that_is_killed_at_any_step_loses_nothing_and_repeats_one_write_and_one_line_at_most() -> None:
    output = subprocess.check_output([sys.executable, "-c", KILL_AT_EVERY_STEP], text=True)
    *killed, whole = json.loads(output)
    assert whole == [False, "one\ntwo\nhalf\n", "one\ntwo\nhalf\n"]
    assert len(killed) > 20
    for _, shown, kept in killed:
        assert shown in ("one\ntwo\nhalf\n", "one\ntwo\nhalone\ntwo\nhalf\n")
        assert kept in ("one\ntwo\nhalf\n", "one\none\ntwo\nhalf\n", "one\ntwo\ntwo\nhalf\n")
