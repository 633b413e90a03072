"""Graphs of ComfyUI inside pictures, clips and files of odd encodings."""

from __future__ import annotations

import json

from tests.corpus.graph_case import COG, SD, cog_rest, loaded, of, rest
from tests.corpus.graphs import G
from tests.corpus.reading import Case
from tests.engine.interop.pictures import jpeg, mp4, png, tiff, vhs_comment, webm, webp


def cases() -> list[Case]:
    still, clip = G(), G()
    rest(still)
    cog_rest(clip)
    ran, editor = json.dumps(still.api()), json.dumps(still.ui())
    moving = json.dumps(clip.api())
    drawn, larger = G(), G()
    for g in (drawn, larger):
        ckpt = loaded(g)
        image = g("LoadImage", image="room.png")["IMAGE"]
        latent = g("VAEEncode", pixels=image, vae=ckpt["VAE"])["LATENT"]
        rest(g, ckpt, latent=latent, denoise=0.6)
    saving = larger.nodes[larger.last][1]
    saving["images"] = larger("ImageScaleBy", image=saving["images"], scale_by=2.0)["IMAGE"]
    its = {"start": ["room.png", 0.6], "missing": ["room.png"]}
    tags = {0x010F: b"workflow:" + editor.encode() + b"\0", 0x0110: b"prompt:" + ran.encode() + b"\0"}
    capitals = {0x010E: b"Workflow:" + editor.encode() + b"\0", 0x010F: b"Prompt: " + ran.encode() + b"\0"}
    return [
        ("comfyui.png", png({"prompt": ran, "workflow": editor}), SD),
        ("comfyui-editor-only.png", png({"workflow": editor}), SD),
        ("comfyui-zipped.png", png({"prompt": ran}, zipped=True), SD),
        ("comfyui-capitals.png", png({"Prompt": ran, "Workflow": editor}), SD),
        ("comfyui-with-a1111.png", png({"parameters": "a kite\nSteps: 5, Seed: 1, CFG scale: 2", "prompt": ran}), SD),
        ("comfyui.webp", webp(tiff(b"\0" * 8, "<", tags)), SD),
        ("comfyui.jpg", jpeg(tiff(b"\0" * 8, "<", tags)), SD),
        ("comfyui-capitals.webp", webp(tiff(b"\0" * 8, "<", capitals)), SD),
        ("comfyui-capitals.jpg", jpeg(tiff(b"\0" * 8, ">", capitals)), SD),
        (
            "comfyui-comment.webp",
            webp(tiff(b"ASCII\0\0\0" + json.dumps({"prompt": still.api(), "workflow": still.ui()}).encode())),
            SD,
        ),
        ("comfyui-utf16.json", ran.encode("utf-16"), SD),
        ("comfyui-utf16-no-mark.json", editor.encode("utf-16-be"), SD),
        ("comfyui-bom.json", editor.encode("utf-8-sig"), SD),
        ("comfyui-request.json", json.dumps({"client_id": "x", "prompt": still.api(), "extra_data": {}}).encode(), SD),
        ("comfyui-size-of-file.png", png({"prompt": json.dumps(drawn.api())}, size=(576, 768)),
         of(SD, {"width": 576, "height": 768, **its})),
        ("comfyui-larger-file.png", png({"prompt": json.dumps(larger.api())}, size=(1152, 1536)),
         of(SD, {"width": 1024, "height": 1024, **its,
                 "lost": ["The size is that of “room.png”", "Laterna leaves out ImageScaleBy #9"]})),
        ("comfyui.mp4", mp4({"prompt": moving, "workflow": json.dumps(clip.ui())}), COG),
        ("comfyui.webm", webm({"prompt": moving, "workflow": json.dumps(clip.ui())}), COG),
        ("videohelpersuite.mp4", mp4({"comment": vhs_comment(clip.api(), clip.ui())}, by_keys=False), COG),
        ("videohelpersuite.mov", mp4({"comment": vhs_comment(clip.api())}, brand=b"qt  "), COG),
        ("videohelpersuite.webm", webm({"comment": vhs_comment(clip.api(), clip.ui())}), COG),
        ("videohelpersuite.mkv", webm({"comment": vhs_comment(clip.api())}), COG),
    ]  # fmt: skip
