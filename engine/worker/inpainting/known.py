"""The part of the latents that is known: put back at each step, at that step's level of noise.

As in diffusers' ``StableDiffusion3InpaintPipeline``, but around the model instead of behind the sampler, so that every
sampler does it, those with a history and those with calls between steps too: the model sees the known part as it is at
that level, and says of it what leads there. For Euler both are the same.
"""

from __future__ import annotations

from torch import Tensor

from engine.worker.denoisers import Denoisers
from engine.worker.sampling.base import Model, Point, Prediction


class KnownPart:
    """``latents`` of the picture, the job's first ``noise``, and ``free`` (1 where latents are made anew, else 0); they
    broadcast against each other."""

    def __init__(self, latents: Tensor, noise: Tensor, free: Tensor) -> None:
        self._latents, self._noise, self._free = latents, noise, free

    def at(self, x: Tensor, point: Point) -> Tensor:
        """``x`` with the known part at the level of noise of ``point``."""
        known = point.sigma * self._noise + point.signal * self._latents
        return (1 - self._free) * known.to(x.dtype) + self._free * x

    def finished(self, x: Tensor) -> Tensor:
        """``x`` after the last step, with the known part itself."""
        return ((1 - self._free) * self._latents + self._free * x).to(x.dtype)

    def around(self, model: Model, denoisers: Denoisers) -> Model:
        """``model`` as a sampler calls it, which asks ``denoisers`` or a cache around it."""

        def told(x: Tensor, point: Point) -> Prediction:
            said = model(self.at(x, point), point)
            known = denoisers.as_if(self._latents.to(x.dtype), x, point)
            output = (1 - self._free) * known.output + self._free * said.output
            return Prediction(output, lambda output: denoisers.to_x0(output, x, point))

        return told
