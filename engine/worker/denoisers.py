"""The denoisers of a model: which one is asked in which step, and only that one open.

A model may have several, each for a part of the schedule (high noise, low noise). The sampler sees one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from torch import Tensor

from engine.worker.guidance import Denoiser
from engine.worker.sampling.base import Point, Prediction

Take = Callable[[str], AbstractContextManager[Denoiser]]


class Denoisers:
    """Of the model, by their ``names``. ``choose`` says which, from the point at which a step begins; ``take`` reads it
    and gives it for as long as it is open. A step that asks several times asks the same one."""

    def __init__(self, names: Sequence[str], choose: Callable[[Point], str], take: Take) -> None:
        self._names = names
        self._choose = choose
        self._take = take
        self._open = ExitStack()
        self._step = -1
        self._current: tuple[str, Denoiser] | None = None

    def __enter__(self) -> Denoisers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current = None
        self._open.__exit__(kind, error, trace)

    def __call__(self, x: Tensor, point: Point) -> Prediction:
        return self._at(point)(x, point)

    def regime(self, point: Point) -> tuple[float, ...]:
        """As ``Denoiser.regime``, with the number of the denoiser before it where there are several."""
        found = self._at(point).regime(point)
        assert self._current is not None
        number = self._names.index(self._current[0])
        return (float(number), *found) if number else found

    def as_if(self, x0: Tensor, x: Tensor, point: Point) -> Prediction:
        return self._at(point).as_if(x0, x, point)

    def to_x0(self, output: Tensor, x: Tensor, point: Point) -> Tensor:
        return self._at(point).to_x0(output, x, point)

    def _at(self, point: Point) -> Denoiser:
        """The one whose turn it is; the one before is closed."""
        if self._current is None or point.index != self._step:
            self._step = point.index
            name = self._choose(point)
            if self._current is None or self._current[0] != name:
                self._current = None
                self._open.close()
                self._current = name, self._open.enter_context(self._take(name))
        return self._current[1]
