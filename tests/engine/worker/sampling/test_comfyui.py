"""Samplers against ComfyUI's loops (``comfy/k_diffusion/sampling.py``, ``uni_pc.py``, ``deis.py`` of 0.27).

The numbers are not from ComfyUI itself, but from a separate program that writes those loops out in single precision,
with torchsde for the noise, and shares only the schedules with this engine. They are the first four latents over
``crooked`` at shift 3, after 12 steps of sgm_uniform and after 7 of karras.
"""

from __future__ import annotations

import pytest
import torch

from engine.worker.sampling.flow_samplers import make_schedule

from .flows import begin, crooked, run

GOLDEN = {
    "euler": ((-0.031681, 0.135487, -0.339850, 0.060326), (-0.016464, 0.070072, -0.238791, 0.051087)),
    "ddim": ((-0.031681, 0.135487, -0.339850, 0.060326), (-0.016464, 0.070072, -0.238791, 0.051087)),
    "euler_ancestral": ((0.577764, -0.024974, -0.133684, -0.612496), (-0.031787, 0.131787, -0.040034, -0.189057)),
    "heun": ((-0.034228, 0.147027, -0.363009, 0.062755), (-0.036516, 0.158091, -0.384314, 0.062936)),
    "dpm_2": ((-0.031847, 0.136204, -0.340140, 0.060708), (-0.041657, 0.178176, -0.407590, 0.065934)),
    "dpmpp_2m": ((-0.035816, 0.154297, -0.376341, 0.063909), (-0.037324, 0.161500, -0.383001, 0.060128)),
    "dpmpp_2m_sde": ((-0.331882, 0.458940, 0.567362, -0.710427), (-0.233459, 0.562922, 0.246326, -0.513018)),
    "dpmpp_sde": ((-0.218018, 0.595072, 0.233405, -0.555116), (-0.233323, 0.619159, 0.205280, -0.565414)),
    "dpmpp_3m_sde": ((-0.241042, 0.019867, 0.769655, -0.870622), (-0.158634, 0.598746, 0.281912, -0.532986)),
    "uni_pc": ((-0.032121, 0.137506, -0.342918, 0.060966), (-0.022680, 0.097170, -0.289848, 0.058062)),
    "lms": ((-0.034195, 0.146825, -0.362477, 0.062751), (-0.022427, 0.096298, -0.281123, 0.053958)),
    "deis": ((-0.033942, 0.145832, -0.361553, 0.062687), (-0.023399, 0.100587, -0.288085, 0.054492)),
    "res_multistep": ((-0.036057, 0.155403, -0.378549, 0.064122), (-0.041973, 0.181936, -0.415759, 0.062311)),
    "lcm": ((0.569267, -0.020104, -0.151819, -0.444217), (0.016551, 0.045647, 0.024916, -0.216240)),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_latents_are_comfyuis(name: str) -> None:
    for (scheduler, steps), wanted in zip((("sgm_uniform", 12), ("karras", 7)), GOLDEN[name], strict=True):
        latents = run(name, make_schedule({}, name, scheduler, steps, 3.0), crooked, begin())
        assert torch.allclose(latents.flatten()[:4], torch.tensor(wanted), atol=5e-5, rtol=0)
