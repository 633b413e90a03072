"""``python -m tests.fakes.third_family.engine``: the engine's process, which knows one family more."""

import os
import sys

if __name__ == "__main__":
    _out = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    from engine.families.registry import register
    from engine.worker.host import main
    from tests.fakes.third_family import FAMILY

    register(FAMILY)
    sys.exit(main(os.fdopen(os.dup(0), "rb", 0), _out))
