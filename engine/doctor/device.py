"""The torch build and the card, asked in a process of its own: one that crashes or hangs is a finding too."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from engine.doctor.finding import Finding, gigabytes, good, note, wrong
from engine.memory import observed
from engine.memory.machine import Machine

SECONDS = 90.0
MODULE = "engine.worker.doctor"
TRY_CPU = "Make the environment anew with the build that runs everywhere: LATERNA_TORCH=cpu python3 start.py"


class TorchReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What ``engine.worker.doctor`` prints. ``link`` are bytes a second from pinned host memory to the card."""

    version: str
    cuda: str = ""
    hip: str = ""
    kind: str = "cpu"
    name: str = ""
    capability: str = ""
    built_for: tuple[str, ...] = ()
    driver: str = ""
    total: int = 0
    free: int = 0
    link: float = 0.0
    flops: float = 0.0
    bandwidth: float = 0.0
    native_bf16: bool = False
    float8_products: bool = False
    attention: tuple[str, ...] = ()
    threads: int = 1
    fault: str = ""


def device(seconds: float = SECONDS, module: str = MODULE) -> list[Finding]:
    machine = observed.this_machine()
    report = ask(seconds, module)
    if isinstance(report, Finding):
        return [report]
    return [*_build(report, machine), *_device(report), *_kernels(report)]


def ask(seconds: float, module: str = MODULE) -> TorchReport | Finding:
    """The child's report, or what became of it."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module], capture_output=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return wrong("torch", f"PyTorch did not answer in {seconds:.0f} s: the card's driver hangs.",
                     "Start the computer again; if it stays so, install the card's driver anew.")  # fmt: skip
    except OSError as error:
        return wrong("torch", f"PyTorch's process could not be started: {error.strerror}.", TRY_CPU)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        return wrong("torch", f"PyTorch cannot be loaded: {last[0][:300]}.", TRY_CPU)
    try:
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=TorchReport)
    except (msgspec.DecodeError, IndexError):
        return wrong("torch", "PyTorch's process gave no report.", TRY_CPU)


def _build(report: TorchReport, machine: Machine) -> list[Finding]:
    build = f"CUDA {report.cuda}" if report.cuda else f"ROCm {report.hip}" if report.hip else "no card's build"
    text = f"PyTorch {report.version} ({build})."
    if report.fault:
        return [wrong("torch", f"{text} It fails on the card: {report.fault[:300]}.", TRY_CPU)]
    if machine.kind == "cuda" and report.kind != "cuda":
        if report.cuda:
            return [wrong("torch", f"{text} It does not reach the {machine.name}: the card's driver is too old.",
                          "Update the NVIDIA driver.")]  # fmt: skip
        return [wrong("torch", f"{text} This computer has a {machine.name}, which this build cannot use.",
                      "LATERNA_TORCH=cuda python3 start.py")]  # fmt: skip
    if report.capability and report.built_for and not _is_built_for(report):
        return [wrong("torch", f"{text} It was not built for a card like the {report.name}"
                      f" (compute capability {report.capability}).", TRY_CPU)]  # fmt: skip
    return [good("torch", text)]


def _is_built_for(report: TorchReport) -> bool:
    """Binaries run on later minor versions of their own major one; what is built as PTX runs on all later ones."""
    major, minor = (int(part) for part in report.capability.split("."))
    for entry in report.built_for:
        kind, _, digits = entry.rstrip("af").partition("_")
        if not digits.isdecimal():
            return True  # ROCm names its cards otherwise, and refuses by itself
        built = divmod(int(digits), 10)
        if kind == "sm" and built[0] == major and built[1] <= minor:
            return True
        if kind == "compute" and built <= (major, minor):
            return True
    return False


def _device(report: TorchReport) -> list[Finding]:
    host = observed.this_machine()
    memory = good("memory", f"{gigabytes(host.host_total)} of memory, {gigabytes(host.host_free)} of it free.",
                  total_bytes=host.host_total, free_bytes=host.host_free)  # fmt: skip
    if report.kind == "cpu":
        text = f"Pictures are computed by the processor, {report.name}, with {report.threads} threads."
        return [memory, note("device", text, flops=report.flops, bytes_per_second=report.bandwidth)]
    driver = f", driver {report.driver}" if report.driver else ""
    free = f"{gigabytes(report.total)}, {gigabytes(report.free)} of it free" if report.total else "shared memory"
    found = [memory, good("device", f"{report.name}: {free}{driver}.", total_bytes=report.total,
                          free_bytes=report.free, flops=report.flops, bytes_per_second=report.bandwidth)]  # fmt: skip
    if report.link:
        text = f"Weights come to the card at {report.link / 1e9:.1f} GB a second."
        if report.link < 5e9:
            found.append(note("link", text, "A card in a slot for ×16 does twice to eight times that: "
                              "look which slot it is in.", bytes_per_second=report.link))  # fmt: skip
        else:
            found.append(good("link", text, bytes_per_second=report.link))
    return found


def _kernels(report: TorchReport) -> list[Finding]:
    parts = [f"attention by {', '.join(report.attention)}" if report.attention else "attention by plain products"]
    parts.append("bfloat16 computed as it is" if report.native_bf16 else "bfloat16 widened to float32")
    parts.append("8-bit products of the card" if report.float8_products else "no 8-bit products")
    return [good("kernels", f"{'; '.join(parts).capitalize()}.")]
