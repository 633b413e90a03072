"""Every method and naming of a LoRA gives what merging it into the weights in fp32 gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.protocol.errors import BadFile
from engine.protocol.recipe import Adapter
from engine.worker.adapters import Adapters
from engine.worker.adapters.lora_file import read_lora

LAYER = "transformer_blocks.0.attn.to_q"
OUT, IN, RANK = 12, 8, 2


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.to_q = nn.Linear(IN, OUT)
        self.norm_q = nn.LayerNorm(OUT)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm_q(self.to_q(x))


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        block = nn.Module()
        block.attn = Attention()
        self.transformer_blocks = nn.ModuleList([block])

    def forward(self, x: Tensor) -> Tensor:
        return self.transformer_blocks[0].attn(x)  # type: ignore[union-attr,operator]


def rand(*shape: int) -> Tensor:
    return torch.randn(*shape) * 0.3


def dora(weight: Tensor, delta: Tensor, magnitude: Tensor, by_column: bool = False) -> Tensor:
    both = weight + delta
    return both * magnitude / both.norm(dim=0 if by_column else 1, keepdim=True)


def method(kind: str, weight: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The tensors of the layer, and its weight with them merged."""
    down, up = rand(RANK, IN), rand(OUT, RANK)
    alpha = torch.tensor(1.0)
    if kind == "lora":
        return {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha}, weight + up @ down / RANK
    if kind == "loha":
        w = [rand(OUT, RANK), rand(RANK, IN), rand(OUT, RANK), rand(RANK, IN)]
        names = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
        return dict(zip(names, w, strict=True)) | {"alpha": alpha}, weight + (w[0] @ w[1]) * (w[2] @ w[3]) / RANK
    if kind == "lokr":
        one, two = rand(3, 2), rand(4, 4)
        return {"lokr_w1": one, "lokr_w2": two, "alpha": torch.tensor(1e9)}, weight + torch.kron(one, two)
    if kind == "lokr factored":
        one, a, b = rand(3, 2), rand(4, RANK), rand(RANK, 4)
        tensors = {"lokr_w1": one, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": alpha}
        return tensors, weight + torch.kron(one, a @ b) / RANK
    if kind in ("dora", "dora of peft"):
        length = torch.rand(OUT, 1) + 0.5
        merged = dora(weight, up @ down / (RANK if kind == "dora" else 1), length)
        if kind == "dora":
            own = {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha, "dora_scale": length}
            return own, merged
        return {"lora_A.weight": down, "lora_B.weight": up, "lora_magnitude_vector": length[:, 0]}, merged
    if kind == "dora by column":
        length = torch.rand(1, IN) + 0.5
        own = {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha, "dora_scale": length}
        return own, dora(weight, up @ down / RANK, length, by_column=True)
    diff = rand(OUT, IN)
    return {"diff": diff}, weight + diff


KINDS = ("lora", "loha", "lokr", "lokr factored", "dora", "dora of peft", "dora by column", "diff")


def run(path: Path, strength: float = 1.0, notes: list[str] | None = None) -> Tensor:
    network, x = Network(), torch.linspace(-1, 1, 3 * IN).reshape(3, IN)
    adapters = Adapters([(Adapter(path.name, "", strength), path)], (notes if notes is not None else []).append)
    plain = network(x)
    with torch.no_grad(), adapters.attached({"transformer": network}):
        made = network(x)
    assert torch.equal(network(x), plain), "gone afterwards"
    return made


def merged(weight: Tensor | None = None, **changes: Tensor) -> Tensor:
    network, x = Network(), torch.linspace(-1, 1, 3 * IN).reshape(3, IN)
    attention: Any = network.transformer_blocks[0].attn
    with torch.no_grad():
        if weight is not None:
            attention.to_q.weight.copy_(weight)
        for name, change in changes.items():
            attention.get_submodule(name.rpartition("_")[0]).get_parameter(name.rpartition("_")[2]).add_(change)
        found: Tensor = network(x)
        return found


def own_weight() -> Tensor:
    attention: Any = Network().transformer_blocks[0].attn
    weight: Tensor = attention.to_q.weight.detach()
    return weight


@pytest.mark.parametrize("kind", KINDS)
def test_exact_against_merging(tmp_path: Path, kind: str) -> None:
    weight = own_weight()
    torch.manual_seed(5)
    tensors, wanted = method(kind, weight)
    path = tmp_path / "a.safetensors"
    save_file({f"transformer.{LAYER}.{name}": one.contiguous() for name, one in tensors.items()}, path)
    assert torch.allclose(run(path), merged(wanted), atol=1e-5)
    assert not torch.allclose(run(path), merged(weight), atol=1e-2)
    half = weight + 0.5 * (wanted - weight)
    assert torch.allclose(run(path, 0.5), merged(half), atol=1e-5)


def test_biases_and_norms(tmp_path: Path) -> None:
    torch.manual_seed(6)
    bias, scale, shift = rand(OUT), rand(OUT), rand(OUT)
    norm = LAYER.replace("to_q", "norm_q")
    path = tmp_path / "a.safetensors"
    save_file(
        {f"transformer.{LAYER}.diff_b": bias, f"transformer.{norm}.diff": scale, f"transformer.{norm}.diff_b": shift},
        path,
    )
    assert torch.allclose(run(path), merged(to_q_bias=bias, norm_q_weight=scale, norm_q_bias=shift), atol=1e-5)
    flat = norm.replace(".", "_")
    save_file({f"lycoris_{flat}.w_norm": scale, f"lycoris_{flat}.b_norm": shift}, path)
    assert torch.allclose(run(path), merged(norm_q_weight=scale, norm_q_bias=shift), atol=1e-5)


NAMES = (
    "lora_unet__{flat}.lora_down", "lora_unet_{flat}.lora_down", "lycoris_{flat}.lora_down", "unet.{dots}.lora_A",
    "model.diffusion_model.{dots}.lora_A", "transformer._orig_mod.{dots}.lora_A", "pipe.dit.{dots}.lora_A",
    "{dots}.lora_A", "base_model.model.{dots}.lora_A", "transformer.{dots}.lora_A.my_style",
    "blocks.0.attn.to_q.lora_A.default",
)  # fmt: skip


@pytest.mark.parametrize("naming", NAMES)
def test_namings(tmp_path: Path, naming: str) -> None:
    torch.manual_seed(7)
    down, up = rand(RANK, IN), rand(OUT, RANK)
    name = naming.format(flat=LAYER.replace(".", "_"), dots=LAYER)
    other = name.replace("lora_down", "lora_up").replace("lora_A", "lora_B")
    path = tmp_path / "a.safetensors"
    save_file({f"{name}.weight": down, f"{other}.weight": up}, path)
    assert torch.allclose(run(path), merged(own_weight() + up @ down), atol=1e-5)


@pytest.mark.parametrize("where", ["header", "beside"])
@pytest.mark.parametrize(
    ("told", "scale"),
    [
        ({"lora_alpha": 6, "use_rslora": True}, 3.0), ({"lora_alpha": 6}, 1.5), ({"lora_alpha": None}, 1.0),
        ({"lora_alpha": "many"}, 1.0), ({"lora_alpha": 4, "alpha_pattern": {"attn.to_q": 8}}, 2.0),
    ],
)  # fmt: skip
def test_scales(tmp_path: Path, where: str, told: dict[str, Any], scale: float) -> None:
    path = tmp_path / "pytorch_lora_weights.safetensors"
    header = {f"transformer.{key}": value for key, value in told.items()}
    tensors = {f"transformer.{LAYER}.lora_A.weight": rand(4, IN), f"transformer.{LAYER}.lora_B.weight": rand(OUT, 4)}
    save_file(tensors, path, {"lora_adapter_metadata": json.dumps(header)} if where == "header" else None)
    if where == "beside":
        (tmp_path / "adapter_config.json").write_text(json.dumps(told))
    (change,) = read_lora(path).values()
    assert change.scale == pytest.approx(scale)


@pytest.mark.parametrize("where", ["header", "beside"])
@pytest.mark.parametrize("told", [{"lora_alpha": None}, {"lora_alpha": "many"}, {"alpha_pattern": {"attn.to_q": None}}])
def test_an_alpha_that_is_no_number_is_told(tmp_path: Path, where: str, told: dict[str, Any]) -> None:
    torch.manual_seed(9)
    down, up = rand(RANK, IN), rand(OUT, RANK)
    path, notes = tmp_path / "pytorch_lora_weights.safetensors", list[str]()
    header = {"lora_adapter_metadata": json.dumps({f"transformer.{key}": value for key, value in told.items()})}
    tensors = {f"transformer.{LAYER}.lora_A.weight": down, f"transformer.{LAYER}.lora_B.weight": up}
    save_file(tensors, path, header if where == "header" else None)
    if where == "beside":
        (tmp_path / "adapter_config.json").write_text(json.dumps(told))
    assert torch.allclose(run(path, notes=notes), merged(own_weight() + up @ down), atol=1e-5)
    assert notes == [f"{path.name}: its alpha is told as no number, so it is applied as if alpha were its rank."]
    save_file(tensors, path, {"lora_adapter_metadata": "{}"})
    (tmp_path / "adapter_config.json").unlink(missing_ok=True)
    run(path, notes=(quiet := list[str]()))
    assert not quiet, "a file that says nothing of it is as usual"


def test_an_alpha_in_the_file_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {
        f"transformer.{LAYER}.lora_down.weight": rand(RANK, IN),
        f"transformer.{LAYER}.lora_up.weight": rand(OUT, RANK),
    }
    save_file(tensors | {f"transformer.{LAYER}.alpha": torch.tensor(float("nan"))}, path)
    with pytest.raises(BadFile, match="no numbers"):
        read_lora(path)


def test_what_is_left_out_is_named_and_nothing_fitting_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(8)
    down, up = rand(RANK, IN), rand(OUT, RANK)
    path, notes = tmp_path / "a.safetensors", list[str]()
    other = "transformer.some_other.layer"
    strangers = {f"{other}.lora_A.weight": down.clone(), f"{other}.lora_B.weight": up.clone()}
    save_file(strangers | {f"transformer.{LAYER}.lora_A.weight": down, f"transformer.{LAYER}.lora_B.weight": up}, path)
    assert torch.allclose(run(path, notes=notes), merged(own_weight() + up @ down), atol=1e-5)
    assert len(notes) == 1 and "some_other.layer" in notes[0] and "1 of 2" in notes[0]
    save_file(strangers, path)
    with pytest.raises(BadFile, match="does not fit"):
        run(path)


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    bad = torch.full((RANK, IN), float("nan"))
    save_file({f"transformer.{LAYER}.lora_A.weight": bad, f"transformer.{LAYER}.lora_B.weight": rand(OUT, RANK)}, path)
    with pytest.raises(BadFile, match="no numbers"):
        read_lora(path)
