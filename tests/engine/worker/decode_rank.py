"""One rank of a parallel decode: `decode_rank.py VAE_FOLDER LATENT_FRAMES OUT`; rank 0 writes both results."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from diffusers import AutoencoderKLCogVideoX
from safetensors.torch import save_file

from engine.worker.context_parallel import decode


def main() -> None:
    folder, frames, out = sys.argv[1:]
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    vae = AutoencoderKLCogVideoX.from_pretrained(folder).eval()
    latents = torch.randn(1, 16, int(frames), 4, 6, generator=torch.Generator().manual_seed(0))
    made = decode(vae, latents)
    if made is not None:
        with torch.no_grad():
            alone = vae.decode(latents).sample
        save_file({"made": made.contiguous(), "alone": alone.contiguous()}, Path(out))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
