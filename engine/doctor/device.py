"""The torch build and the card, asked in a process of its own: one that crashes or hangs is a finding too."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from engine.doctor.finding import Finding, gigabytes, good, note, wrong
from engine.doctor.remedies import EVERYWHERE, WITH_CUDA
from engine.memory import observed
from engine.memory.machine import Machine

SECONDS = 90.0
MODULE = "engine.worker.doctor"


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
        return wrong("torch", f"PyTorch's process could not be started: {error.strerror}.", EVERYWHERE)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        return wrong("torch", f"PyTorch cannot be loaded: {last[0][:300]}.", EVERYWHERE)
    try:
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=TorchReport)
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return wrong("torch", "PyTorch's process gave no report.", EVERYWHERE)


def _build(report: TorchReport, machine: Machine) -> list[Finding]:
    build = f"CUDA {report.cuda}" if report.cuda else f"ROCm {report.hip}" if report.hip else "CPU"
    here = f"PyTorch {report.version}, built for {build}, is here."
    why = _misfit(report, machine)
    return [wrong("torch", f"{here} {why[0]}", why[1])] if why else [good("torch", here)]


def _misfit(report: TorchReport, machine: Machine) -> tuple[str, str] | None:
    """What is wrong with the build on this machine, and what mends it."""
    if report.fault:
        return f"It fails on the card: {report.fault[:300].rstrip('.')}.", EVERYWHERE
    if machine.kind == "cuda" and report.kind != "cuda":
        if report.cuda:
            text = f"It does not reach the {machine.name}: the card's driver is too old."
            return text, "Update the NVIDIA driver."
        return f"This computer has a {machine.name}, which this build cannot use.", WITH_CUDA
    if report.capability and report.built_for and not _is_built_for(report):
        text = f"It was not built for a card like the {report.name} (compute capability {report.capability})."
        return text, EVERYWHERE
    return None


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
    found = [memory, good("device", _card(report), total_bytes=report.total, free_bytes=report.free,
                          flops=report.flops, bytes_per_second=report.bandwidth)]  # fmt: skip
    if report.link:
        text = f"Weights come to the card at {report.link / 1e9:.1f} GB a second."
        if report.link < 5e9:
            found.append(note("link", text, "A card in a slot for ×16 does twice to eight times that: "
                              "look which slot it is in.", bytes_per_second=report.link))  # fmt: skip
        else:
            found.append(good("link", text, bytes_per_second=report.link))
    return found


def _card(report: TorchReport) -> str:
    if not report.total:
        return f"The card is the {report.name}, which shares this computer's memory."
    free = f"The card is the {report.name} with {gigabytes(report.total)}, {gigabytes(report.free)} of it free."
    return f"{free} Its driver is {report.driver}." if report.driver else free


def _kernels(report: TorchReport) -> list[Finding]:
    said = [
        f"Attention is computed by: {', '.join(report.attention)}."
        if report.attention
        else "Attention is computed by plain products.",
        "bfloat16 is computed as it is." if report.native_bf16 else "bfloat16 is widened to float32.",
        "Products in 8 bits are here." if report.float8_products else "There are no products in 8 bits.",
    ]
    return [good("kernels", " ".join(said))]
