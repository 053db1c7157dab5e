"""
Runs a command in a pseudo-terminal of 100 x 40 letters and answers as a terminal would.

    python3 in-terminal.py <answer in hexadecimal digits> <command> ...

Prints one line of JSON: the exit code, all that the terminal was sent (base64), how long it was waited for an answer, and whether the line is cooked in the end.
"""
import base64
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

answer, command = bytes.fromhex(sys.argv[1]), sys.argv[2:]
parent, child = pty.openpty()
fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
process = os.fork()
if process == 0:
    os.setsid()
    fcntl.ioctl(child, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(child, descriptor)
    os.execvp(command[0], command)

sent, asked, went_on = b"", None, None
end = time.time() + 120
while time.time() < end:
    ready, _, _ = select.select([parent], [], [], 0.02)
    if ready:
        sent += os.read(parent, 65536)
        if asked is not None and went_on is None:
            went_on = time.time()
        if asked is None and b"\x1b[c" in sent:
            asked = time.time()
            os.write(parent, answer)
    elif os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
        break
_, status = os.waitpid(process, 0)
cooked = bool(termios.tcgetattr(child)[3] & termios.ICANON)
waited = None if asked is None or went_on is None else went_on - asked
print(json.dumps({
    "code": os.waitstatus_to_exitcode(status),
    "sent": base64.b64encode(sent).decode(),
    "waited": waited,
    "cooked": cooked,
}))
