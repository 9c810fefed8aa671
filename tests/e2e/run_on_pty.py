"""Runs a command on a terminal of its own: run_on_pty.py ROWS COLUMNS COMMAND...

Tells the process on standard error. What the command writes comes on standard output.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

rows, columns = int(sys.argv[1]), int(sys.argv[2])
pid, master = pty.fork()
if pid == 0:
    size = struct.pack("HHHH", rows, columns, 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    # "\n" stays "\n".
    modes = termios.tcgetattr(0)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(0, termios.TCSANOW, modes)
    os.execvp(sys.argv[3], sys.argv[3:])
print(pid, file=sys.stderr, flush=True)
while True:
    try:
        data = os.read(master, 65536)
    except OSError:  # The last process has closed it.
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
