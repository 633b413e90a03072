"""The planner: the order of plans, what fits where, and the properties that hold for any machine."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.families.registry import PUBLISHED
from engine.memory.forecast import choose, parts_for, plans_for
from engine.memory.inventory import published
from engine.memory.machine import GIB, Machine, imagined
from engine.memory.plan import ENGINE, EVERYTHING, MemoryPlan
from engine.memory.planned_model import PlannedModel
from engine.memory.planner import first_fitting, next_lower
from engine.memory.remedies import NothingFits
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe

CARDS = (4, 6, 8, 10, 12, 16, 24, 32, 48, 80)


@cache
def parts(model: str) -> PlannedModel:
    return published(model)


def recipe(model: str, **changes: object) -> Recipe:
    return MODELS[model].recipe("a red apple", **changes)


def family(model: str) -> FamilyInfo:
    return FAMILIES[MODELS[model].family]


@cache
def all_plans(model: str, vram: float | None, **_: object) -> tuple[MemoryPlan, ...]:
    return plans_for(recipe(model), parts(model), imagined(vram, 32), abilities=EVERYTHING)


def test_the_published_parameters_are_those_of_the_networks() -> None:
    counts = {part.name: part.footprint.parameters / 1e9 for model in ("sd3.5-large",) for part in parts(model).parts}
    assert counts == pytest.approx(
        {"text_encoder": 0.124, "text_encoder_2": 0.695, "text_encoder_3": 4.762, "transformer": 8.144, "vae": 0.084},
        abs=0.01,
    )
    assert {model: parts(model).of("denoiser")[0].footprint.parameters / 1e9 for model in PUBLISHED} == pytest.approx(
        {
            "sd3.5-large": 8.144,  # 8.057 and its table of positions
            "sd3.5-large-turbo": 8.144,
            "sd3.5-medium": 2.469,  # 2.243 and its table of positions
            "cogvideox-2b": 1.727,  # 1.694 and its table of positions
            "cogvideox-5b": 5.570,
            "cogvideox-1.5-5b": 5.570,
            "cogvideox-5b-i2v": 5.625,  # and its learned positions
            "cogvideox-1.5-5b-i2v": 5.571,
        },
        abs=0.005,
    )


@pytest.mark.parametrize("model", PUBLISHED)
@pytest.mark.parametrize("vram", CARDS)
def test_every_model_gets_a_plan_or_a_sentence(model: str, vram: float) -> None:
    machine = imagined(vram, 32)
    plan = first_fitting(all_plans(model, vram), machine)
    if plan is not None:
        assert plan.device <= machine.device_limit and plan.host <= machine.host_limit
        return
    with pytest.raises(NothingFits) as caught:
        choose(recipe(model), parts(model), family(model), machine, EVERYTHING)
    assert "GiB" in caught.value.message and caught.value.remedy
    assert caught.value.needed > caught.value.free > 0


@pytest.mark.parametrize("model", PUBLISHED)
def test_plans_come_in_order_and_each_has_its_use(model: str) -> None:
    found = all_plans(model, 16)
    assert [(plan.rank, plan.seconds) for plan in found] == sorted((plan.rank, plan.seconds) for plan in found)
    assert found[0].strategy == "resident" and found[0].is_exact
    for i, plan in enumerate(found):
        for other in found[:i]:
            assert not (
                other.device <= plan.device and other.host <= plan.host and set(other.changes) <= set(plan.changes)
            )


SIZES = st.floats(3.0, 90.0)
RAMS = st.floats(6.0, 128.0)


@settings(max_examples=60, deadline=None)
@given(model=st.sampled_from(sorted(PUBLISHED)), vram=SIZES, more=SIZES, ram=RAMS, more_ram=RAMS)
def test_more_memory_never_gives_a_slower_plan(
    model: str, vram: float, more: float, ram: float, more_ram: float
) -> None:
    """At the same exactness; and never one that changes more of the picture."""
    small, large = imagined(vram, ram), imagined(vram + more, ram + more_ram)
    small = Machine("cuda", small.host_total, small.host_free, large.device_total, small.device_free)  # the same card
    found = plans_for(recipe(model), parts(model), large, abilities=EVERYTHING)
    with_less, with_more = first_fitting(found, small), first_fitting(found, large)
    assert found == plans_for(recipe(model), parts(model), small, abilities=EVERYTHING)
    if with_less is not None:
        assert with_more is not None
        assert with_more.rank <= with_less.rank
        assert with_more.rank < with_less.rank or with_more.seconds <= with_less.seconds


@settings(max_examples=60, deadline=None)
@given(
    model=st.sampled_from(sorted(PUBLISHED)),
    vram=st.one_of(st.none(), SIZES),
    ram=RAMS,
    scale=st.sampled_from((0.5, 0.75, 1.0)),
    batch=st.integers(1, 4),
    abilities=st.sampled_from((ENGINE, EVERYTHING)),
)
def test_nothing_is_chosen_that_exceeds_the_limit(model, vram, ram, scale, batch, abilities) -> None:
    defaults = MODELS[model].defaults
    width, height = (int(side * scale) // 16 * 16 for side in (defaults.width, defaults.height))
    wanted = recipe(model, width=width, height=height, batch=batch)
    machine = imagined(vram, ram)
    try:
        chosen = choose(wanted, parts(model), family(model), machine, abilities)
    except NothingFits as error:
        assert error.needed > error.free
        fitting = error.remedy_found
        if fitting.kind != "none":
            less = plans_for(fitting.apply(wanted), parts(model), machine, abilities=abilities)
            assert first_fitting(less, machine) is not None
        return
    assert chosen[0].fits(machine.device_limit, machine.host_limit, machine.is_unified)
    assert chosen[0].can_run(abilities)


@pytest.mark.parametrize("model", ["sd3.5-large", "cogvideox-5b"])
@pytest.mark.parametrize("stage", ["encoding", "denoising", "decoding"])
def test_the_next_plan_needs_less_where_it_ran_out_and_keeps_the_bits_if_it_can(model: str, stage) -> None:
    found = all_plans(model, 24)
    current = found[0]
    needs = []
    while (lower := next_lower(found, current, stage)) is not None:
        need = {entry.stage: entry.device for entry in lower.stages}[stage]
        needs.append(need)
        assert need < {entry.stage: entry.device for entry in current.stages}[stage]
        current = lower
    assert len(needs) >= 2
    first = next_lower(found, found[0], "denoising")
    assert first is not None and first.is_exact


def test_a_t5_that_is_left_out_takes_nothing() -> None:
    whole, without = parts("sd3.5-large"), parts_for(recipe("sd3.5-large", use_t5=False), parts("sd3.5-large"))
    assert {part.name for part in whole.parts} - {part.name for part in without.parts} == {"text_encoder_3"}
    machine = imagined(24, 32)
    small = plans_for(recipe("sd3.5-large", use_t5=False), whole, machine)
    assert small[0].device < plans_for(recipe("sd3.5-large"), whole, machine)[0].device - 8 * GIB


def test_turbo_needs_one_pass_and_takes_a_tenth_of_the_time() -> None:
    turbo, large = all_plans("sd3.5-large-turbo", 80)[0], all_plans("sd3.5-large", 80)[0]
    denoise = {plan: next(stage for stage in plan.stages if stage.stage == "denoising") for plan in (turbo, large)}
    assert denoise[turbo].seconds < denoise[large].seconds / 15
    assert denoise[turbo].device < denoise[large].device


@pytest.mark.parametrize(
    ("model", "seconds"), [("cogvideox-2b", 90.0), ("cogvideox-5b", 180.0), ("cogvideox-1.5-5b", 1000.0)]
)
def test_times_on_an_a100_are_within_two_times_of_the_published(model: str, seconds: float) -> None:
    found = plans_for(recipe(model), parts(model), imagined(80, 128, name="NVIDIA A100-SXM4-80GB"))
    assert seconds / 2 <= found[0].seconds <= seconds * 2


def test_a_keystroke_weighs_few_plans() -> None:
    """``bench forecast`` measures the time that they take."""
    assert all(len(plans_for(recipe(m, batch=4), parts(m), imagined(12, 32))) <= 100 for m in PUBLISHED)
