"""``python -m engine.worker``: speaks ``engine.protocol.codec`` frames on stdin and stdout."""

import os
import sys

if __name__ == "__main__":
    # Whatever a library prints must not end up between the frames: keep stdout, and send prints to the log.
    _out = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    from engine.worker.host import main

    sys.exit(main(os.fdopen(os.dup(0), "rb", 0), _out))
