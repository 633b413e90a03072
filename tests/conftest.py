"""For all tests: nothing of the person who runs them is touched."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
# The system's trash is in there.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="laterna-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_DATA_HOME"], ignore_errors=True)
