"""``python -m engine.worker``: speaks ``engine.protocol.codec`` frames on stdin and stdout."""

import os
import sys

if __name__ == "__main__":
    # Whatever a library prints must not end up between the frames: keep stdout, and send prints to the log.
    _out = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    # PyTorch's threads wait for each other at every operation. By default they spin, which on a machine that is also
    # doing something else takes the processor from the very thread that is waited for: 40 times slower was measured.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    from engine.worker.host import main

    sys.exit(main(os.fdopen(os.dup(0), "rb", 0), _out))
