"""A clip decoded on two processes is the clip decoded on one, to the last bit."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLCogVideoX
from safetensors.torch import load_file

from engine.worker.context_parallel import chunk_bounds

ROOT = Path(__file__).resolve().parents[3]


def test_the_same_frames_as_one_process(tiny, tmp_path: Path) -> None:
    latents, frames, ranks = 13, 49, 2
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out = tmp_path / "out.safetensors"
    script = Path(__file__).with_name("decode_rank.py")
    command = [sys.executable, str(script), str(tiny("cogvideox-5b") / "vae"), str(latents), str(out)]
    shared = {"PYTHONPATH": str(ROOT), "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(command, env={**os.environ, **shared, "RANK": str(rank)}, cwd=ROOT) for rank in range(ranks)
    ]
    try:
        assert [process.wait(timeout=240) for process in running] == [0] * ranks
    finally:
        for process in running:
            process.kill()
            process.wait()
    found = load_file(out)
    assert found["made"].shape[2] == frames
    assert torch.equal(found["made"], found["alone"])


@pytest.mark.parametrize("frames", range(1, 15))
def test_chunks_are_those_of_the_reference(frames: int) -> None:
    bounds = chunk_bounds(frames, 2)
    assert bounds[0][0] == 0
    assert bounds[-1][1] >= frames
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    assert len(bounds) == max(frames // 2, 1)


def test_later_latents_change_no_earlier_frame(tiny) -> None:
    """Causality, which all of this rests on."""
    vae = AutoencoderKLCogVideoX.from_pretrained(tiny("cogvideox-5b") / "vae").eval()
    latents = torch.randn(1, 16, 5, 4, 6, generator=torch.Generator().manual_seed(0))
    changed = latents.clone()
    changed[:, :, 3:] += 1
    with torch.no_grad():
        one, other = vae.decode(latents).sample, vae.decode(changed).sample
    same = [torch.equal(one[:, :, frame], other[:, :, frame]) for frame in range(one.shape[2])]
    assert same[:9] == [True] * 9
    assert not any(same[9:])
