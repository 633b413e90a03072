#!/usr/bin/env python3
"""Start Laterna: make its environment once, then run the app, one of its commands, or the tests.

    python3 start.py                    open the window
    python3 start.py test [pytest …]    run the tests; with --long also those that take an hour
    python3 start.py --help             every command

Standard library only: this file runs before anything is installed. The environment is ``.venv`` beside it, made from
the lock files in ``requirements/`` with the torch build that fits the hardware. A first start that was interrupted
goes on at the next one; a later start only compares the lock files' hashes with a stamp and hands over.

Environment variables: ``LATERNA_TORCH`` (cpu, cuda, rocm, default) chooses the torch build by hand,
``LATERNA_TORCH_INDEX`` the package index it comes from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "laterna.json"
APP_LOCK = ROOT / "requirements" / "app.lock"
TEST_LOCK = ROOT / "requirements" / "test.lock"
TORCH_VERSION = "2.13.0"
WINDOWS = sys.platform == "win32"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
NEEDED_BYTES = {"cpu": 3 * 2**30, "cuda": 9 * 2**30, "rocm": 16 * 2**30, "default": 4 * 2**30}

# Each torch build: its version label, and the index that holds it (None: the person's ordinary package index).
# PyPI itself holds the CUDA build for Linux and the CPU builds for Windows and macOS.
TORCH_INDEX = "https://download.pytorch.org/whl"
TORCH_BUILDS = {
    "cpu": (f"torch=={TORCH_VERSION}+cpu", f"{TORCH_INDEX}/cpu"),
    "cuda": (f"torch=={TORCH_VERSION}", f"{TORCH_INDEX}/cu130" if WINDOWS else None),
    "rocm": (f"torch=={TORCH_VERSION}", f"{TORCH_INDEX}/rocm7.2"),
    "default": (f"torch=={TORCH_VERSION}", None),
}

# What Qt and OpenCV load from the system on Linux: library, and the package that holds it (apt, dnf, pacman, zypper).
LIBRARIES = {
    "libGL.so.1": ("libgl1", "mesa-libGL", "libglvnd", "Mesa-libGL1"),
    "libEGL.so.1": ("libegl1", "mesa-libEGL", "libglvnd", "Mesa-libEGL1"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
    "libfreetype.so.6": ("libfreetype6", "freetype", "freetype2", "libfreetype6"),
    "libgssapi_krb5.so.2": ("libgssapi-krb5-2", "krb5-libs", "krb5", "krb5"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "fontconfig"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11", "libxkbcommon-x11-0"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image", "libxcb-image0"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1"),
    "libxcb-render-util.so.0": (
        "libxcb-render-util0",
        "xcb-util-renderutil",
        "xcb-util-renderutil",
        "libxcb-render-util0",
    ),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
}
# What the tests need besides: program or file, and its package.
TEST_PROGRAMS = {
    "Xvfb": ("xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", "xorg-x11-server-Xvfb"),
    "xdotool": ("xdotool", "xdotool", "xdotool", "xdotool"),
    "openbox": ("openbox", "openbox", "openbox", "openbox"),
}
INSTALLERS = {
    "apt-get": (0, ["apt-get", "install", "-y", "--no-install-recommends"]),
    "dnf": (1, ["dnf", "install", "-y"]),
    "pacman": (2, ["pacman", "-S", "--needed", "--noconfirm"]),
    "zypper": (3, ["zypper", "--non-interactive", "install"]),
}


def say(text: str) -> None:
    print(f"laterna: {text}", file=sys.stderr, flush=True)


def stop(text: str, code: int = 1) -> None:
    say(text)
    raise SystemExit(code)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_stamp() -> dict[str, str]:
    try:
        value = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    temporary = STAMP.with_suffix(".tmp")
    temporary.write_text(json.dumps(stamp, indent=1))
    temporary.replace(STAMP)


def is_ready(stamp: dict[str, str], testing: bool) -> bool:
    """Whether the environment is the one that the lock files describe."""
    try:
        ready = stamp.get("app") == sha256(APP_LOCK) and stamp.get("torch_version") == TORCH_VERSION
        return ready and (not testing or stamp.get("test") == sha256(TEST_LOCK)) and PYTHON.exists()
    except OSError as error:
        stop(f"{error.filename} is missing. Get the whole project again (git clone).")
        return False


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold a lock, so that two first starts at once do not install over each other."""
    with (ROOT / ".venv.lock").open("a+") as file:
        if WINDOWS:
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("another start is making the environment; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def torch_build() -> str:
    """Which torch build fits this machine."""
    chosen = os.environ.get("LATERNA_TORCH")
    if chosen:
        if chosen not in TORCH_BUILDS:
            stop(f"LATERNA_TORCH is “{chosen}”; take one of {', '.join(TORCH_BUILDS)}.", 2)
        return chosen
    if sys.platform == "darwin":
        return "default"
    nvidia = shutil.which("nvidia-smi")
    if nvidia and subprocess.run([nvidia, "-L"], capture_output=True, check=False).stdout.strip():
        return "cuda"
    if sys.platform == "linux" and Path("/sys/class/kfd/kfd/topology/nodes").is_dir() and Path("/opt/rocm").is_dir():
        return "rocm"
    return "default" if WINDOWS else "cpu"


def make_venv() -> None:
    """Make ``.venv``, or keep the one that is there and works."""
    import venv  # here and below: what a later start does not need, it does not wait for

    if PYTHON.exists():
        probe = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False)
        if probe.returncode == 0:
            return
        say("the environment is damaged; making it anew")
        shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.EnvBuilder(with_pip=True, clear=VENV.exists()).create(VENV)
    except (subprocess.CalledProcessError, SystemExit, OSError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            stop(f"the environment cannot be made in {VENV}: {error.strerror}. Check space and permissions.", 5)
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        stop(f"this Python has no venv module. On Debian or Ubuntu: apt-get install {package}")


def pip(*arguments: str, check: bool = True, quiet: bool = False) -> bool:
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    output = subprocess.PIPE if quiet else sys.stderr
    finished = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT if quiet else None, check=False)
    if finished.returncode and check:
        stop(
            "a package could not be installed (the lines above say why). Check the network and the free space;"
            " the next start goes on where this one ended.",
            6,
        )
    return finished.returncode == 0


def install_torch(build: str) -> None:
    requirement, index = TORCH_BUILDS[build]
    index = os.environ.get("LATERNA_TORCH_INDEX", index)
    say(f"installing torch {TORCH_VERSION} ({build} build)")
    # The plain index first: where it holds the very build (a local mirror, a cache), nothing else is asked. A “+cpu”
    # version exists only in CPU builds, so this can never bring CUDA.
    if build == "cpu" and pip("-q", "--no-deps", "--retries", "1", requirement, check=False, quiet=True):
        return
    where = ["--index-url", index] if index else []
    pip("-q", "--no-deps", *where, requirement)
    if build == "cuda" and not WINDOWS:
        pip("-q", requirement)  # the CUDA libraries are dependencies of the Linux build


def make_environment(testing: bool) -> None:
    build = torch_build()
    free = shutil.disk_usage(ROOT).free
    if not PYTHON.exists() and free < NEEDED_BYTES[build]:
        stop(
            f"the environment needs about {NEEDED_BYTES[build] / 2**30:.0f} GB, and {free / 2**30:.1f} GB are free"
            f" in {ROOT}. Free some space and start again.",
            5,
        )
    say("making the environment; this happens once and takes some minutes")
    make_venv()
    stamp = read_stamp()
    if stamp.get("torch_version") != TORCH_VERSION or stamp.get("build") != build:
        install_torch(build)
        stamp |= {"torch_version": TORCH_VERSION, "build": build}
        write_stamp(stamp)
    for name, lock in (("app", APP_LOCK), ("test", TEST_LOCK)):
        if stamp.get(name) != sha256(lock) and (testing or name == "app"):
            say(f"installing what is in {lock.relative_to(ROOT)}")
            pip("-q", "--no-deps", "--require-hashes", "-r", str(lock))
            stamp[name] = sha256(lock)
            write_stamp(stamp)


def missing_packages(column: int, testing: bool) -> list[str]:
    """The system packages that are not here, by the names of the package manager in ``column``."""
    import ctypes

    missing = []
    for library, packages in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(packages[column])
    if testing:
        missing += [packages[column] for program, packages in TEST_PROGRAMS.items() if not shutil.which(program)]
    return sorted(set(missing))


def check_system(testing: bool) -> None:
    """Name the system libraries that are missing, with the one command that brings them; bring them when root."""
    if sys.platform != "linux":
        return
    manager = next((name for name in INSTALLERS if shutil.which(name)), "apt-get")
    column, command = INSTALLERS[manager]
    missing = missing_packages(column, testing)
    if not missing:
        return
    line = " ".join([*command, *missing])
    if os.geteuid() != 0:
        stop(f"some system libraries are missing. This brings them:\n\n    sudo {line}\n")
    say(f"installing system packages: {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    if manager == "apt-get":
        subprocess.run(["apt-get", "update", "-qq"], env=environment, stdout=sys.stderr, check=False)
    subprocess.run([*command, *missing], env=environment, stdout=sys.stderr, check=False)
    still = missing_packages(column, testing)
    if still:
        stop(f"these system packages could not be installed: {' '.join(still)}. Try by hand:\n\n    {line}\n")


def prepare(testing: bool) -> None:
    stamp = read_stamp()
    if not is_ready(stamp, testing):
        with only_one():
            if not is_ready(read_stamp(), testing):
                make_environment(testing)
    stamp = read_stamp()
    checked = "test" if testing else "app"
    if checked not in stamp.get("system", "").split():
        check_system(testing)
        stamp["system"] = " ".join(sorted({*stamp.get("system", "").split(), checked}))
        write_stamp(stamp)


def hand_over(arguments: list[str]) -> None:
    """Become the program (on Windows: run it and pass its exit code on)."""
    command = [str(PYTHON), *arguments]
    if WINDOWS:
        raise SystemExit(subprocess.run(command, check=False).returncode)
    sys.stdout.flush()
    os.execv(command[0], command)


def main(arguments: list[str]) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this very check is what tells the person
        stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", 2)
    testing = arguments[:1] == ["test"]
    try:
        prepare(testing)
    except KeyboardInterrupt:
        stop("interrupted; the next start goes on from here", 130)
    if testing:
        os.chdir(ROOT)
        everything = ["-n", "2", "--dist", "loadfile", "--ignore=tests/gpu"]
        if "--long" in arguments:
            os.environ["LATERNA_LONG_TESTS"] = "1"
        else:  # a test that hangs fails, with the stacks of its threads
            everything += ["-o", "faulthandler_timeout=1200", "-o", "faulthandler_exit_on_timeout=true"]
        chosen = [argument for argument in arguments[1:] if argument != "--long"] or everything
        hand_over(["-m", "pytest", *chosen])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    hand_over(["-m", "app", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
