"""Cancel at every stage: within one block of whichever network runs, and everything works afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.protocol.errors import Cancelled
from engine.worker.cancel import Cancellation, blocks
from engine.worker.runner import Runner

from .conftest import Driver, cogvideox, sd35

RECIPES = {"sd35-large": sd35(steps=2), "cogvideox-5b": cogvideox(steps=2, sampler="dpm")}


class CancelAt(Cancellation):
    """Requests the cancel at the n-th check, as the window would at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.at = -1
        self.after = 0

    def check(self) -> None:
        if self.requested:
            self.after += 1
        super().check()
        if self.checks == self.at:
            self.request()

    def arm(self, at: int) -> None:
        self.reset()
        self.checks = self.after = 0
        self.at = at


@pytest.mark.parametrize("variant", RECIPES)
def test_every_single_check_can_be_the_last(variant: str, tiny) -> None:
    """Cancels after the n-th check of a warm engine: the next block does not run, and the engine is as good as new."""
    cancellation = CancelAt()
    driver = Driver(Runner(cancellation, torch.device("cpu"), torch.float32))
    recipe = RECIPES[variant]
    whole = driver.make(tiny(variant), recipe)
    cancellation.arm(-1)
    driver.make(tiny(variant), recipe.replace(prompt="another"))  # another prompt each time: encoded each time
    checks = cancellation.checks
    assert checks > 20
    for at in [*range(1, checks - 12, 3), *range(checks - 12, checks)]:
        cancellation.arm(at)
        with pytest.raises(Cancelled):
            driver.make(tiny(variant), recipe.replace(prompt=f"a dog {at}"))
        assert cancellation.after == 1, f"{cancellation.after} blocks began after check {at}"
    cancellation.arm(-1)
    assert torch.equal(driver.make(tiny(variant), recipe).frames, whole.frames)


@pytest.mark.parametrize("part", ["text_encoder", "transformer", "vae"])
@pytest.mark.parametrize("variant", RECIPES)
def test_all_networks_are_watched(variant: str, part: str, tiny) -> None:
    runner = Runner(device=torch.device("cpu"))
    model = runner.open(tiny(variant))
    model.load([part])
    with model.use(part) as parts:
        network = parts[part]
        heavy = [m for m in network.modules() if isinstance(m, torch.nn.Linear | torch.nn.Conv2d | torch.nn.Conv3d)]
        inside = {id(child) for block in blocks(network)[1:] for child in block.modules()}
        covered = sum(p.numel() for m in heavy if id(m) in inside for p in m.parameters(recurse=False))
        total = sum(p.numel() for m in heavy for p in m.parameters(recurse=False))
        assert covered > 0.5 * total
        assert all(block._forward_pre_hooks for block in blocks(network))


def test_cancel_while_loading_releases_what_was_read(tiny) -> None:
    cancellation = CancelAt()
    driver = Driver(Runner(cancellation, torch.device("cpu"), torch.float32))
    cancellation.arm(3)
    with pytest.raises(Cancelled):
        driver.make(tiny("sd35-large"), sd35())
    cancellation.arm(-1)
    driver.make(tiny("sd35-large"), sd35(steps=1))


def test_no_file_is_left_when_cancelled_before_saving(tiny, tmp_path: Path) -> None:
    cancellation = CancelAt()
    driver = Driver(Runner(cancellation, torch.device("cpu"), torch.float32))
    job = driver.job(tiny("sd35-large"), sd35(steps=1), output_folder=str(tmp_path))
    driver.runner.run(job, driver.emit)
    [file] = tmp_path.iterdir()
    file.unlink()
    cancellation.arm(-1)
    driver.runner.run(job, driver.emit)
    last = cancellation.checks
    next(tmp_path.iterdir()).unlink()
    cancellation.arm(last - 1)
    with pytest.raises(Cancelled):
        driver.runner.run(job, driver.emit)
    assert not list(tmp_path.iterdir())


def test_a_request_interrupts_code_that_knows_nothing_of_it() -> None:
    import signal
    import threading

    before = signal.getsignal(signal.SIGINT)
    cancellation = Cancellation()
    cancellation.install()
    try:
        started = threading.Event()
        thread = threading.Thread(target=lambda: (started.wait(), cancellation.request()))
        thread.start()
        rounds = 0
        with pytest.raises(Cancelled), cancellation.interruptible():
            started.set()
            while rounds < 10**9:
                rounds += 1
        thread.join()
        assert rounds < 10**9
        cancellation.reset()
        signal.raise_signal(signal.SIGINT)  # a terminal's Ctrl-C is not meant for the engine
    finally:
        signal.signal(signal.SIGINT, before)
