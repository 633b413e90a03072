"""Step caching: less of the network, nearly the same picture; and the same pixels however the job came to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.families.cogvideox.network.pipeline import CogVideoXPipeline
from engine.families.sd35.network.pipeline import StableDiffusion35Pipeline
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadRecipe, Cancelled
from engine.protocol.events import JobResumed, StepDone
from engine.protocol.family_info import validate
from engine.protocol.recipe import GuidancePoint, Recipe, SkipLayerGuidance
from engine.worker.acceleration.step_caching import MOST_IN_A_ROW, StepCache
from engine.worker.guidance import Denoiser, Guided, Told
from engine.worker.residency.memory_manager import MemoryManager
from engine.worker.runner import Runner
from engine.worker.sampling.base import Point, SamplerState
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import SAMPLERS
from tests.engine.worker.conftest import Driver, cogvideox, sd35

STEPS = 12
TOLERANCE = 0.3


def flow_schedule(steps: int = STEPS) -> FlowSchedule:
    return FlowSchedule.of(torch.linspace(1, 0, steps + 1))


def flow_denoiser(velocity: Callable[[Tensor, Point], Tensor], skip: SkipLayerGuidance | None = None) -> Denoiser:
    told = Told({"embeds": torch.zeros(1, 1)})
    guided = Guided(
        lambda x, point, conditioning, skipped: velocity(x, point), (told,), None, lambda _: None, skip=skip
    )
    return Denoiser(guided, lambda output, x, point: x.float() - point.sigma * output)


def run(model: StepCache | Denoiser, sampler: str = "euler", steps: int = STEPS) -> Tensor:
    state = SamplerState(0, torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1)), torch.Generator())
    for _ in SAMPLERS[sampler](flow_schedule(steps), 1)(model, state):
        pass
    return state.latents


def test_a_straight_path_is_followed_exactly_with_few_calls() -> None:
    target = torch.randn(2, 3, 4, 4)
    denoiser = flow_denoiser(lambda x, point: (x - target) / point.sigma)
    cache = StepCache(denoiser, 0.01, {})
    assert torch.allclose(run(cache), run(denoiser), atol=1e-5)
    computed = cache.calls - cache.reused
    assert cache.calls == STEPS
    assert computed == 2 + (STEPS - 3) // (MOST_IN_A_ROW + 1) + 1  # two to learn from, some on the way, the last


def bent(x: Tensor, point: Point, by: float) -> Tensor:
    return torch.ones_like(x) * (1 + by * point.sigma**2)


def test_a_path_that_bends_more_is_computed_more_often() -> None:
    shares = []
    for by in (0.0, 1.0, 8.0):
        run(cache := StepCache(flow_denoiser(lambda x, point, by=by: bent(x, point, by)), 0.15, {}))
        shares.append(cache.share)
    assert shares[0] > shares[1] > shares[2]


def test_fresh_noise_at_every_step_does_not_mislead() -> None:
    """Where a sampler puts noise in, x0 stays what is kept, not the velocity that led away from the old noise."""
    target = torch.randn(2, 3, 4, 4)
    denoiser = flow_denoiser(lambda x, point: (x - target) / point.sigma)
    cache = StepCache(denoiser, 0.1, {})
    assert torch.allclose(run(cache, "euler_ancestral"), target, atol=1e-4)
    assert cache.reused > 0


def test_the_result_of_a_batch_that_changes_most_decides() -> None:
    def share(first: float, second: float) -> float:
        def velocity(x: Tensor, point: Point) -> Tensor:
            return torch.cat([bent(x[:1], point, first), bent(x[1:], point, second)])

        run(cache := StepCache(flow_denoiser(velocity), 0.15, {}))
        return cache.share

    assert share(0.0, 8.0) == share(8.0, 0.0) == share(8.0, 8.0) < share(0.0, 0.0)


def test_a_change_of_guidance_is_never_skipped() -> None:
    asked: list[int] = []

    def velocity(x: Tensor, point: Point) -> Tensor:
        asked.append(point.index)
        return torch.ones_like(x)

    skip = SkipLayerGuidance(start=0.45, end=0.7, window="sigma")
    denoiser = flow_denoiser(velocity, skip)
    object.__setattr__(denoiser.guided, "holds", lambda range_, point: range_.start <= point.sigma <= range_.end)
    run(StepCache(denoiser, 0.4, {}))
    inside = [index for index in range(STEPS) if 0.45 <= 1 - index / STEPS <= 0.7]
    assert {inside[0], inside[-1] + 1} <= set(asked)


@pytest.fixture
def network_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The step of every call of a network."""
    calls: list[int] = []
    for family in (StableDiffusion35Pipeline, CogVideoXPipeline):
        original = family.denoiser

        def denoiser(self, *arguments, original=original, **more) -> Denoiser:
            made = original(self, *arguments, **more)
            network = made.guided.network

            def counted(x: Tensor, point: Point, *rest) -> Tensor:
                calls.append(point.index)
                return network(x, point, *rest)

            object.__setattr__(made.guided, "network", counted)
            return made

        monkeypatch.setattr(family, "denoiser", denoiser)
    yield calls


MODELS = [("sd35-medium", sd35(steps=STEPS)), ("cogvideox-2b", cogvideox(steps=STEPS))]


@pytest.mark.parametrize(("variant", "recipe"), MODELS)
def test_a_job_asks_the_network_less_often_and_its_last_step_always(
    tiny, driver: Driver, network_calls: list[int], variant: str, recipe: Recipe
) -> None:
    exact = driver.make(tiny(variant), recipe)
    assert network_calls == list(range(STEPS))
    assert exact.reused == 0
    network_calls.clear()
    made = driver.make(tiny(variant), recipe.replace(step_caching=TOLERANCE))
    assert len(driver.of(StepDone)) == STEPS
    assert len(network_calls) < STEPS
    assert network_calls[-1] == STEPS - 1
    assert made.reused == pytest.approx(1 - len(network_calls) / STEPS)
    assert not torch.equal(made.latents, exact.latents)
    difference = (made.latents - exact.latents).abs().mean() / exact.latents.abs().mean()
    assert difference < 0.1


@pytest.mark.parametrize(("variant", "recipe"), MODELS)
def test_a_tolerance_that_nothing_stays_below_changes_no_bit(
    tiny, driver: Driver, variant: str, recipe: Recipe
) -> None:
    exact = driver.make(tiny(variant), recipe)
    made = driver.make(tiny(variant), recipe.replace(step_caching=1e-12))
    assert made.reused == 0
    assert torch.equal(made.frames, exact.frames)


@pytest.mark.parametrize(
    ("variant", "recipe"),
    [
        ("sd35-medium", sd35(steps=STEPS)),
        ("sd35-medium", sd35(steps=8, sampler="heun")),
        ("sd35-medium", sd35(steps=8, latents="model", guidance_schedule=(GuidancePoint(1.0, 2.0),))),
        ("cogvideox-2b", cogvideox(steps=8)),
        ("cogvideox-5b", cogvideox(steps=8, sampler="dpmpp_2m_log_snr")),
        ("cogvideox-2b", cogvideox(steps=8, sampler="uni_pc_log_snr")),
    ],
    ids=lambda case: getattr(case, "sampler", case),
)
def test_going_on_from_a_checkpoint_gives_the_same_pixels(tiny, tmp_path: Path, variant: str, recipe: Recipe) -> None:
    recipe, folder = recipe.replace(step_caching=TOLERANCE), tiny(variant)
    first, second = (Driver(Runner(device=torch.device("cpu"), precision=torch.float32)) for _ in range(2))
    whole = first.make(folder, recipe)
    assert whole.reused > 0
    for number in range(2, recipe.steps, 2):
        file = str(tmp_path / f"{number}.safetensors")
        _interrupt_after(first, folder, recipe, number, file)
        again = second.make(folder, recipe, checkpoint=file)
        assert second.of(JobResumed)[0].step in (number, number + 1)  # the step that was left out is done at once
        assert torch.equal(again.latents, whole.latents), number


def _interrupt_after(driver: Driver, folder: Path, recipe: Recipe, step: int, file: str) -> None:
    plain = driver.emit

    def emit(event: object, blob: bytes) -> None:
        if isinstance(event, StepDone) and event.step == step:
            driver.runner.cancellation.request()

    driver.emit = emit  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        driver.make(folder, recipe, checkpoint=file)
    driver.emit = plain  # type: ignore[method-assign]
    driver.runner.cancellation.reset()


@pytest.mark.parametrize(("variant", "recipe"), MODELS)
def test_streamed_weights_and_guidance_in_two_passes_go_with_it(
    tiny, driver: Driver, monkeypatch: pytest.MonkeyPatch, variant: str, recipe: Recipe
) -> None:
    recipe = recipe.replace(step_caching=TOLERANCE)
    whole = driver.make(tiny(variant), recipe)
    residency = MemoryManager.residency

    def streamed(self, *arguments, **more):
        found, placing = residency(self, *arguments, **more)
        parts = {
            name: replace(part, place="disk") if name == "transformer" else part for name, part in found.parts.items()
        }
        return replace(found, parts=parts, batched=False), placing

    monkeypatch.setattr(MemoryManager, "residency", streamed)
    made = Driver(Runner(device=torch.device("cpu"), precision=torch.float32)).make(tiny(variant), recipe)
    assert made.reused == whole.reused > 0
    assert torch.allclose(made.latents, whole.latents, atol=1e-4)


def test_a_tolerance_without_sense_is_refused() -> None:
    for tolerance in (-0.1, 0.6, float("nan")):
        with pytest.raises(BadRecipe, match="tolerance of step caching"):
            validate(sd35(step_caching=tolerance), FAMILIES["sd35"])
    validate(sd35(step_caching=0.2), FAMILIES["sd35"])
