"""Nodes as their packs define them: inputs that are wired, outputs, and widgets in the order in which they are saved.

Public facts of ComfyUI and of the packs named below, written down apart from the tables that Laterna reads with. One line
each: ``type | input:TYPE … | OUTPUT or name:TYPE … | widget=default …``; ``seed!`` is followed by what comes after a run.
"""

from __future__ import annotations

import json
from typing import NamedTuple


class Definition(NamedTuple):
    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]]
    widgets: list[str]
    defaults: dict[str, object]


_CORE = """
CheckpointLoaderSimple | | MODEL CLIP VAE | ckpt_name
UNETLoader | | MODEL | unet_name weight_dtype="default"
UnetLoaderGGUF | | MODEL | unet_name
TripleCLIPLoader | | CLIP | clip_name1 clip_name2 clip_name3
TripleCLIPLoaderGGUF | | CLIP | clip_name1 clip_name2 clip_name3
DualCLIPLoader | | CLIP | clip_name1 clip_name2 type device="default"
CLIPLoader | | CLIP | clip_name type device="default"
QuadrupleCLIPLoader | | CLIP | clip_name1 clip_name2 clip_name3 clip_name4
VAELoader | | VAE | vae_name
ImageOnlyCheckpointLoader | | MODEL CLIP_VISION VAE | ckpt_name
CLIPTextEncode | clip:CLIP | CONDITIONING | text=""
CLIPTextEncodeSD3 | clip:CLIP | CONDITIONING | clip_l clip_g t5xxl empty_padding="none"
CLIPTextEncodeFlux | clip:CLIP | CONDITIONING | clip_l t5xxl guidance=3.5
FluxGuidance | conditioning:CONDITIONING | CONDITIONING | guidance=3.5
CLIPSetLastLayer | clip:CLIP | CLIP | stop_at_clip_layer=-1
ConditioningZeroOut | conditioning:CONDITIONING | CONDITIONING |
ConditioningSetTimestepRange | conditioning:CONDITIONING | CONDITIONING | start=0 end=1
ConditioningCombine | conditioning_1:CONDITIONING conditioning_2:CONDITIONING | CONDITIONING |
EmptySD3LatentImage | | LATENT | width=1024 height=1024 batch_size=1
EmptyLatentImage | | LATENT | width=512 height=512 batch_size=1
EmptyHunyuanLatentVideo | | LATENT | width=848 height=480 length=25 batch_size=1
EmptyLTXVLatentVideo | | LATENT | width=768 height=512 length=97 batch_size=1
EmptyMochiLatentVideo | | LATENT | width=848 height=480 length=25 batch_size=1
EmptyCosmosLatentVideo | | LATENT | width=1280 height=704 length=121 batch_size=1
EmptyAceStepLatentAudio | | LATENT | seconds=120 batch_size=1
EmptyLatentAudio | | LATENT | seconds=47.6 batch_size=1
TextEncodeAceStepAudio | clip:CLIP | CONDITIONING | tags lyrics lyrics_strength=0.99
SVD_img2vid_Conditioning | clip_vision:CLIP_VISION init_image:IMAGE vae:VAE | positive:CONDITIONING negative:CONDITIONING latent:LATENT | width=1024 height=576 video_frames=14 motion_bucket_id=127 fps=6 augmentation_level=0
VideoLinearCFGGuidance | model:MODEL | MODEL | min_cfg=1
LTXVConditioning | positive:CONDITIONING negative:CONDITIONING | positive:CONDITIONING negative:CONDITIONING | frame_rate=25
LTXVScheduler | latent:LATENT | SIGMAS | steps=20 max_shift=2.05 base_shift=0.95 stretch=true terminal=0.1
WanImageToVideo | positive:CONDITIONING negative:CONDITIONING vae:VAE start_image:IMAGE | positive:CONDITIONING negative:CONDITIONING latent:LATENT | width=832 height=480 length=81 batch_size=1
ModelSamplingSD3 | model:MODEL | MODEL | shift=3
ModelSamplingAuraFlow | model:MODEL | MODEL | shift=1.73
ModelSamplingFlux | model:MODEL | MODEL | max_shift=1.15 base_shift=0.5 width=1024 height=1024
SkipLayerGuidanceSD3 | model:MODEL | MODEL | layers="7, 8, 9" scale=3 start_percent=0.01 end_percent=0.15
LoraLoader | model:MODEL clip:CLIP | MODEL CLIP | lora_name strength_model=1 strength_clip=1
LoraLoaderModelOnly | model:MODEL | MODEL | lora_name strength_model=1
KSampler | model:MODEL positive:CONDITIONING negative:CONDITIONING latent_image:LATENT | LATENT | seed! steps=20 cfg=8 sampler_name="euler" scheduler="normal" denoise=1
KSamplerAdvanced | model:MODEL positive:CONDITIONING negative:CONDITIONING latent_image:LATENT | LATENT | add_noise="enable" noise_seed! steps=20 cfg=8 sampler_name="euler" scheduler="normal" start_at_step=0 end_at_step=10000 return_with_leftover_noise="disable"
SamplerCustom | model:MODEL positive:CONDITIONING negative:CONDITIONING sampler:SAMPLER sigmas:SIGMAS latent_image:LATENT | output:LATENT denoised_output:LATENT | add_noise=true noise_seed! cfg=8
SamplerCustomAdvanced | noise:NOISE guider:GUIDER sampler:SAMPLER sigmas:SIGMAS latent_image:LATENT | output:LATENT denoised_output:LATENT |
RandomNoise | | NOISE | noise_seed!
CFGGuider | model:MODEL positive:CONDITIONING negative:CONDITIONING | GUIDER | cfg=8
BasicGuider | model:MODEL conditioning:CONDITIONING | GUIDER |
KSamplerSelect | | SAMPLER | sampler_name="euler"
BasicScheduler | model:MODEL | SIGMAS | scheduler="normal" steps=20 denoise=1
SplitSigmas | sigmas:SIGMAS | high_sigmas:SIGMAS low_sigmas:SIGMAS | step=0
VAEDecode | samples:LATENT vae:VAE | IMAGE |
VAEDecodeTiled | samples:LATENT vae:VAE | IMAGE | tile_size=512 overlap=64 temporal_size=64 temporal_overlap=8
VAEDecodeAudio | samples:LATENT vae:VAE | AUDIO |
VAEEncode | pixels:IMAGE vae:VAE | LATENT |
VAEEncodeForInpaint | pixels:IMAGE vae:VAE mask:MASK | LATENT | grow_mask_by=6
InpaintModelConditioning | positive:CONDITIONING negative:CONDITIONING vae:VAE pixels:IMAGE mask:MASK | positive:CONDITIONING negative:CONDITIONING latent:LATENT | noise_mask=true
SetLatentNoiseMask | samples:LATENT mask:MASK | LATENT |
LatentUpscaleBy | samples:LATENT | LATENT | upscale_method="nearest-exact" scale_by=1.5
RepeatLatentBatch | samples:LATENT | LATENT | amount=1
LoadImage | | IMAGE MASK | image upload="image"
LoadImageMask | | MASK | image channel="alpha" upload="image"
ImageScale | image:IMAGE | IMAGE | upscale_method="lanczos" width=512 height=512 crop="disabled"
ImageScaleBy | image:IMAGE | IMAGE | upscale_method="lanczos" scale_by=1
ImageScaleToTotalPixels | image:IMAGE | IMAGE | upscale_method="lanczos" megapixels=1
ImageScaleToMaxDimension | image:IMAGE | IMAGE | upscale_method="lanczos" largest_size=512
ImageCrop | image:IMAGE | IMAGE | width=512 height=512 x=0 y=0
ImageInvert | image:IMAGE | IMAGE |
ImageBlur | image:IMAGE | IMAGE | blur_radius=1 sigma=1
GetImageSize | image:IMAGE | width:INT height:INT batch_size:INT |
ControlNetLoader | | CONTROL_NET | control_net_name
ControlNetApplyAdvanced | positive:CONDITIONING negative:CONDITIONING control_net:CONTROL_NET image:IMAGE vae:VAE | positive:CONDITIONING negative:CONDITIONING | strength=1 start_percent=0 end_percent=1
ControlNetApplySD3 | positive:CONDITIONING negative:CONDITIONING control_net:CONTROL_NET vae:VAE image:IMAGE | positive:CONDITIONING negative:CONDITIONING | strength=1 start_percent=0 end_percent=1
Canny | image:IMAGE | IMAGE | low_threshold=0.4 high_threshold=0.8
PrimitiveInt | | INT | value!
PrimitiveFloat | | FLOAT | value=0
PrimitiveString | | STRING | value=""
PrimitiveStringMultiline | | STRING | value=""
PrimitiveBoolean | | BOOLEAN | value=false
PrimitiveNode | | * | value!
StringConcatenate | | STRING | string_a="" string_b="" delimiter=""
StringReplace | | STRING | string="" find="" replace=""
StringTrim | | STRING | string="" mode="Both"
ComfySwitchNode | on_false:* on_true:* | output:* | switch=false
ComfyMathExpression | values.a:FLOAT values.b:FLOAT | FLOAT INT | expression=""
SaveImage | images:IMAGE | | filename_prefix="ComfyUI"
PreviewImage | images:IMAGE | |
SaveAnimatedWEBP | images:IMAGE | | filename_prefix="ComfyUI" fps=16 lossless=false quality=90 method="default"
SaveAudio | audio:AUDIO | | filename_prefix="audio/ComfyUI"
CreateVideo | images:IMAGE audio:AUDIO | VIDEO | fps=24
SaveVideo | video:VIDEO | | filename_prefix="video/ComfyUI" format="auto" codec="auto"
Reroute | :* | :* |
Note | | | text=""
"""
_PACKS = """
Efficient Loader | lora_stack:LORA_STACK cnet_stack:CONTROL_NET_STACK | MODEL CONDITIONING+:CONDITIONING CONDITIONING-:CONDITIONING LATENT VAE CLIP DEPENDENCIES | ckpt_name vae_name="Baked VAE" clip_skip=-1 lora_name="None" lora_model_strength=1 lora_clip_strength=1 positive="" negative="" token_normalization="none" weight_interpretation="comfy" empty_latent_width=512 empty_latent_height=512 batch_size=1
KSampler (Efficient) | model:MODEL positive:CONDITIONING negative:CONDITIONING latent_image:LATENT optional_vae:VAE script:SCRIPT | MODEL CONDITIONING+:CONDITIONING CONDITIONING-:CONDITIONING LATENT VAE IMAGE | seed! steps=20 cfg=7 sampler_name="euler" scheduler="normal" denoise=1 preview_method="auto" vae_decode="true"
KSampler Adv. (Efficient) | model:MODEL positive:CONDITIONING negative:CONDITIONING latent_image:LATENT optional_vae:VAE script:SCRIPT | MODEL CONDITIONING+:CONDITIONING CONDITIONING-:CONDITIONING LATENT VAE IMAGE | add_noise="enable" noise_seed! steps=20 cfg=7 sampler_name="euler" scheduler="normal" start_at_step=0 end_at_step=10000 return_with_leftover_noise="disable" preview_method="auto" vae_decode="true"
Control Net Stacker | control_net:CONTROL_NET image:IMAGE cnet_stack:CONTROL_NET_STACK | CNET_STACK:CONTROL_NET_STACK | strength=1 start_percent=0 end_percent=1
easy fullLoader | model_override:MODEL clip_override:CLIP vae_override:VAE optional_lora_stack:LORA_STACK | pipe:PIPE_LINE model:MODEL vae:VAE clip:CLIP positive:CONDITIONING negative:CONDITIONING latent:LATENT | ckpt_name config_name="Default" vae_name="Baked VAE" clip_skip=-2 lora_name="None" lora_model_strength=1 lora_clip_strength=1 resolution="1024 x 1024" empty_latent_width=512 empty_latent_height=512 positive="" positive_token_normalization="none" positive_weight_interpretation="comfy" negative="" negative_token_normalization="none" negative_weight_interpretation="comfy" batch_size=1
easy a1111Loader | optional_lora_stack:LORA_STACK | pipe:PIPE_LINE model:MODEL vae:VAE | ckpt_name vae_name="Baked VAE" clip_skip=-1 lora_name="None" lora_model_strength=1 lora_clip_strength=1 resolution="1024 x 1024" empty_latent_width=512 empty_latent_height=512 positive="" negative="" batch_size=1
easy comfyLoader | optional_lora_stack:LORA_STACK | pipe:PIPE_LINE model:MODEL vae:VAE | ckpt_name vae_name="Baked VAE" clip_skip=-1 lora_name="None" lora_model_strength=1 lora_clip_strength=1 resolution="1024 x 1024" empty_latent_width=512 empty_latent_height=512 positive="" negative="" batch_size=1
easy preSampling | pipe:PIPE_LINE latent:LATENT | pipe:PIPE_LINE | steps=20 cfg=8 sampler_name="euler" scheduler="normal" denoise=1 seed!
easy kSampler | pipe:PIPE_LINE model:MODEL | pipe:PIPE_LINE image:IMAGE | image_output="Preview" link_id=0 save_prefix="ComfyUI"
easy fullkSampler | pipe:PIPE_LINE model:MODEL positive:CONDITIONING negative:CONDITIONING latent:LATENT vae:VAE clip:CLIP | pipe:PIPE_LINE image:IMAGE model:MODEL positive:CONDITIONING negative:CONDITIONING latent:LATENT vae:VAE clip:CLIP seed:INT | steps=20 cfg=8 sampler_name="euler" scheduler="normal" denoise=1 image_output="Preview" link_id=0 save_prefix="ComfyUI" seed!
easy pipeIn | pipe:PIPE_LINE model:MODEL pos:CONDITIONING neg:CONDITIONING latent:LATENT vae:VAE clip:CLIP image:IMAGE | pipe:PIPE_LINE |
easy pipeOut | pipe:PIPE_LINE | pipe:PIPE_LINE model:MODEL pos:CONDITIONING neg:CONDITIONING latent:LATENT vae:VAE clip:CLIP image:IMAGE seed:INT |
ToBasicPipe | model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING | basic_pipe:BASIC_PIPE |
EditBasicPipe | basic_pipe:BASIC_PIPE model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING | basic_pipe:BASIC_PIPE |
FromBasicPipe | basic_pipe:BASIC_PIPE | model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING |
FromBasicPipe_v2 | basic_pipe:BASIC_PIPE | basic_pipe:BASIC_PIPE model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING |
ImpactKSamplerBasicPipe | basic_pipe:BASIC_PIPE latent_image:LATENT | BASIC_PIPE LATENT VAE | seed! steps=20 cfg=8 sampler_name="euler" scheduler="normal" denoise=1
ImpactSwitch | input1:* input2:* input3:* | selected_value:* selected_label:STRING selected_index:INT | select=1 sel_mode=false
ImpactInt | | INT | value=0
ImpactFloat | | FLOAT | value=0
ImpactWildcardProcessor | | STRING | wildcard_text="" populated_text="" mode="populate" seed! select="Select the Wildcard to add to the text"
Context (rgthree) | base_ctx:RGTHREE_CONTEXT model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING latent:LATENT images:IMAGE seed:INT | CONTEXT:RGTHREE_CONTEXT MODEL CLIP VAE POSITIVE:CONDITIONING NEGATIVE:CONDITIONING LATENT IMAGE SEED:INT |
Context Big (rgthree) | base_ctx:RGTHREE_CONTEXT model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING latent:LATENT images:IMAGE seed:INT steps:INT step_refiner:INT cfg:FLOAT ckpt_name:* sampler:* scheduler:* clip_width:INT clip_height:INT text_pos_g:STRING text_pos_l:STRING text_neg_g:STRING text_neg_l:STRING mask:MASK control_net:CONTROL_NET | CONTEXT:RGTHREE_CONTEXT MODEL CLIP VAE POSITIVE:CONDITIONING NEGATIVE:CONDITIONING LATENT IMAGE SEED:INT STEPS:INT STEP_REFINER:INT CFG:FLOAT CKPT_NAME:* SAMPLER:* SCHEDULER:* CLIP_WIDTH:INT CLIP_HEIGHT:INT TEXT_POS_G:STRING TEXT_POS_L:STRING TEXT_NEG_G:STRING TEXT_NEG_L:STRING MASK CONTROL_NET |
Context Switch (rgthree) | ctx_01:RGTHREE_CONTEXT ctx_02:RGTHREE_CONTEXT ctx_03:RGTHREE_CONTEXT | CONTEXT:RGTHREE_CONTEXT MODEL CLIP VAE POSITIVE:CONDITIONING NEGATIVE:CONDITIONING LATENT IMAGE SEED:INT |
Context Merge (rgthree) | ctx_01:RGTHREE_CONTEXT ctx_02:RGTHREE_CONTEXT | CONTEXT:RGTHREE_CONTEXT MODEL CLIP VAE POSITIVE:CONDITIONING NEGATIVE:CONDITIONING LATENT IMAGE SEED:INT |
Any Switch (rgthree) | any_01:* any_02:* any_03:* | *:* |
Seed (rgthree) | | SEED:INT | seed=0 a="" b="" c=""
Power Lora Loader (rgthree) | model:MODEL clip:CLIP | MODEL CLIP |
Lora Loader Stack (rgthree) | model:MODEL clip:CLIP | MODEL CLIP | lora_01="None" strength_01=1 lora_02="None" strength_02=1 lora_03="None" strength_03=1 lora_04="None" strength_04=1
SDXL Empty Latent Image (rgthree) | | LATENT CLIP_WIDTH:INT CLIP_HEIGHT:INT | dimensions="1024 x 1024  (square)" clip_scale=2 batch_size=1
KSampler Config (rgthree) | | STEPS:INT REFINER_STEP:INT CFG:FLOAT SAMPLER:* SCHEDULER:* | steps_total=30 refiner_step=24 cfg=8 sampler_name="euler" scheduler="normal"
Reroute (rgthree) | :* | :* |
Display Any (rgthree) | source:* | |
Fast Groups Muter (rgthree) | | |
Bus Node | bus:BUS model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING | bus:BUS model:MODEL clip:CLIP vae:VAE positive:CONDITIONING negative:CONDITIONING |
INTConstant | | value:INT | value=0
FloatConstant | | value:FLOAT | value=0
StringConstant | | STRING | string=""
StringConstantMultiline | | STRING | string="" strip_newlines=true
JoinStrings | | STRING | string1="" string2="" delimiter=" "
ImageResizeKJ | image:IMAGE get_image_size:IMAGE | IMAGE width:INT height:INT | width=512 height=512 upscale_method="lanczos" keep_proportion=false divisible_by=2 width_input=0 height_input=0 crop="disabled"
ImageResizeKJv2 | image:IMAGE mask:MASK | IMAGE width:INT height:INT mask:MASK | width=512 height=512 upscale_method="nearest-exact" keep_proportion="stretch" pad_color="0, 0, 0" crop_position="center" divisible_by=2 device="cpu"
GetImageSizeAndCount | image:IMAGE | image:IMAGE width:INT height:INT count:INT |
LazySwitchKJ | on_false:* on_true:* | output:* | switch=false
SetNode | :* | *:* | name=""
GetNode | | *:* | name=""
easy int | | int:INT | value=0
easy float | | float:FLOAT | value=0
easy string | | string:STRING | value=""
easy seed | | seed:INT | seed!
easy positive | | positive:STRING | positive=""
easy negative | | negative:STRING | negative=""
easy mathInt | | int:INT | a=0 b=0 operation="add"
easy anythingIndexSwitch | value0:* value1:* value2:* | value:* | index=0
EmptyLatentSizePicker+ | | LATENT width:INT height:INT | resolution="1024x1024 (1.0)" batch_size=1 width_override=0 height_override=0
SDXLEmptyLatentSizePicker+ | | LATENT width:INT height:INT | resolution="1024x1024 (1.0)" batch_size=1 width_override=0 height_override=0
ImageResize+ | image:IMAGE | IMAGE width:INT height:INT | width=512 height=512 interpolation="nearest" method="stretch" condition="always" multiple_of=0
SimpleMath+ | a:* b:* c:* | INT FLOAT | value=""
CR Aspect Ratio | | width:INT height:INT upscale_factor:FLOAT prescale_factor:FLOAT batch_size:INT empty_latent:LATENT show_help:STRING | width=1024 height=1024 aspect_ratio="custom" swap_dimensions="Off" upscale_factor=1 prescale_factor=1 batch_size=1
CR SDXL Aspect Ratio | | width:INT height:INT upscale_factor:FLOAT batch_size:INT empty_latent:LATENT show_help:STRING | width=1024 height=1024 aspect_ratio="custom" swap_dimensions="Off" upscale_factor=1 batch_size=1
CR Seed | | seed:INT show_help:STRING | seed!
CR Prompt Text | | prompt:STRING show_help:STRING | prompt=""
CR Text Concatenate | | STRING show_help:STRING | text1="" text2="" separator=""
CR Text Input Switch | text1:STRING text2:STRING | STRING show_help:STRING | Input=1
CR Model Input Switch | model1:MODEL model2:MODEL | MODEL show_help:STRING | Input=1
CR LoRA Stack | lora_stack:LORA_STACK | LORA_STACK show_help:STRING | switch_1="Off" lora_name_1="None" model_weight_1=1 clip_weight_1=1 switch_2="Off" lora_name_2="None" model_weight_2=1 clip_weight_2=1 switch_3="Off" lora_name_3="None" model_weight_3=1 clip_weight_3=1
CR Apply LoRA Stack | model:MODEL clip:CLIP lora_stack:LORA_STACK | MODEL CLIP show_help:STRING |
CR Load LoRA | model:MODEL clip:CLIP | MODEL CLIP show_help:STRING | switch="On" lora_name="None" strength_model=1 strength_clip=1
EmptyLatentImageCustomPresets | | LATENT | dimensions="1024 x 1024 (SDXL)" invert=false batch_size=1
Text Multiline | | STRING | text=""
Text Concatenate | text_a:STRING text_b:STRING text_c:STRING text_d:STRING | STRING | delimiter=", " clean_whitespace="true"
Text String | | STRING STRING STRING STRING | text="" text_b="" text_c="" text_d=""
Text Find and Replace | | result_text:STRING replacement_count_number:NUMBER replacement_count_float:FLOAT replacement_count_int:INT | text="" find="" replace=""
Conditioning Input Switch | conditioning_a:CONDITIONING conditioning_b:CONDITIONING | CONDITIONING | boolean=true
Constant Number | | NUMBER FLOAT INT | number_type="integer" number=0
ttN text | | text:STRING | text=""
ttN concat | | concat:STRING | text1="" text2="" text3="" delimiter=""
ShowText|pysssss | text:STRING | STRING |
StringFunction|pysssss | | STRING | action="append" tidy_tags="yes" text_a="" text_b="" text_c=""
MathExpression|pysssss | a:* b:* c:* | INT FLOAT | expression=""
LoraLoader|pysssss | model:MODEL clip:CLIP | MODEL CLIP STRING | lora_name strength_model=1 strength_clip=1 prompt="[none]"
CheckpointLoader|pysssss | | MODEL CLIP VAE STRING | ckpt_name prompt="[none]"
SDXLPromptStyler | | text_positive:STRING text_negative:STRING | text_positive="" text_negative="" style="base" log_prompt=false
CM_IntBinaryOperation | | INT | op="Add" a=0 b=0
Switch any [Crystools] | on_true:* on_false:* | *:* | boolean=true
Primitive integer [Crystools] | | int:INT | int=0
Anything Everywhere | anything:* | |
Anything Everywhere3 | anything:* anything2:* anything3:* | |
Anything Everywhere? | anything:* | | title_regex=".*" input_regex=".*" group_regex=".*"
Prompts Everywhere | +ve:* -ve:* | |
Seed Everywhere | | INT | seed!
ACN_AdvancedControlNetApply | positive:CONDITIONING negative:CONDITIONING control_net:CONTROL_NET image:IMAGE mask_optional:MASK | positive:CONDITIONING negative:CONDITIONING model_opt:MODEL | strength=1 start_percent=0 end_percent=1
IPAdapterAdvanced | model:MODEL ipadapter:IPADAPTER image:IMAGE clip_vision:CLIP_VISION | MODEL | weight=1 weight_type="linear" combine_embeds="concat" start_at=0 end_at=1 embeds_scaling="V only"
OllamaGenerate | | response:STRING | prompt="" model="llama3.1:latest" url="http://127.0.0.1:11434"
WanVideoModelLoader | | model:WANVIDEOMODEL | model base_precision="bf16" quantization="disabled" load_device="offload_device"
WanVideoSampler | model:WANVIDEOMODEL text_embeds:WANVIDEOTEXTEMBEDS image_embeds:WANVIDIMAGE_EMBEDS | samples:LATENT | steps=30 cfg=6 shift=5 seed! force_offload=true scheduler="unipc"
WanVideoTextEncode | t5:WANTEXTENCODER | text_embeds:WANVIDEOTEXTEMBEDS | positive_prompt="" negative_prompt=""
WanVideoEmptyEmbeds | | image_embeds:WANVIDIMAGE_EMBEDS | width=832 height=480 num_frames=81
WanVideoDecode | vae:WANVAE samples:LATENT | images:IMAGE | enable_vae_tiling=false tile_x=272 tile_y=272 tile_stride_x=144 tile_stride_y=128
HyVideoModelLoader | | model:HYVIDEOMODEL | model base_precision="bf16" quantization="disabled" load_device="main_device"
HyVideoSampler | model:HYVIDEOMODEL hyvid_embeds:HYVIDEMBEDS | samples:LATENT | width=512 height=320 num_frames=85 steps=30 embedded_guidance_scale=6 flow_shift=9 seed! force_offload=true
ADE_LoadAnimateDiffModel | | MOTION_MODEL_ADE | model_name
ADE_UseEvolvedSampling | model:MODEL m_models:M_MODELS | MODEL | beta_schedule="autoselect"
DownloadAndLoadCogVideoModel | block_edit:TRANSFORMERBLOCKS lora:COGLORA compile_args:COMPILEARGS | model:COGVIDEOMODEL vae:VAE | model precision="bf16" quantization="disabled" enable_sequential_cpu_offload=false attention_mode="sdpa" load_device="main_device"
CogVideoXModelLoader | block_edit:TRANSFORMERBLOCKS lora:COGLORA compile_args:COMPILEARGS | model:COGVIDEOMODEL | model base_precision="bf16" quantization="disabled" load_device="main_device" enable_sequential_cpu_offload=false attention_mode="sdpa"
CogVideoXVAELoader | compile_args:COMPILEARGS | vae:VAE | model_name precision="bf16"
DownloadAndLoadCogVideoGGUFModel | block_edit:TRANSFORMERBLOCKS | model:COGVIDEOMODEL vae:VAE | model vae_precision="bf16" fp8_fastmode=false load_device="main_device" enable_sequential_cpu_offload=false attention_mode="sdpa"
CogVideoLoraSelect | prev_lora:COGLORA | lora:COGLORA | lora strength=1 fuse_lora=false
CogVideoLoraSelectComfy | prev_lora:COGLORA | lora:COGLORA | lora strength=1
CogVideoTextEncode | clip:CLIP | conditioning:CONDITIONING clip:CLIP | prompt="" strength=1 force_offload=true
CogVideoImageEncode | vae:VAE start_image:IMAGE end_image:IMAGE | samples:LATENT | enable_tiling=false noise_aug_strength=0 strength=1 start_percent=0 end_percent=1
CogVideoImageEncodeFunInP | vae:VAE start_image:IMAGE end_image:IMAGE | image_cond_latents:LATENT | num_frames=49 enable_tiling=false noise_aug_strength=0
CogVideoSampler | model:COGVIDEOMODEL positive:CONDITIONING negative:CONDITIONING samples:LATENT image_cond_latents:LATENT context_options:COGCONTEXT controlnet:COGVIDECONTROLNET tora_trajectory:TORAFEATURES fastercache:FASTERCACHEARGS feta_args:FETAARGS teacache_args:TEACACHEARGS | samples:LATENT | num_frames=49 steps=50 cfg=6 seed! scheduler="CogVideoXDDIM" denoise_strength=1
CogVideoDecode | vae:VAE samples:LATENT | images:IMAGE | enable_vae_tiling=true tile_sample_min_height=240 tile_sample_min_width=360 tile_overlap_factor_height=0.2 tile_overlap_factor_width=0.2 auto_tile_size=true
CogVideoContextOptions | | context_options:COGCONTEXT | context_schedule="uniform_standard" context_frames=48 context_stride=4 context_overlap=4 freenoise=true
CogVideoXFasterCache | | fastercache:FASTERCACHEARGS | start_step=15 hf_step=30 lf_step=40 cache_device="main_device" num_blocks_to_cache=42
CogVideoXTeaCache | | teacache_args:TEACACHEARGS | rel_l1_thresh=0.3
VHS_VideoCombine | images:IMAGE audio:AUDIO meta_batch:VHS_BatchManager vae:VAE | Filenames:VHS_FILENAMES | frame_rate=8 loop_count=0 filename_prefix="CogVideoX" format="video/h264-mp4" pingpong=false save_output=true
VHS_LoadVideo | meta_batch:VHS_BatchManager vae:VAE | IMAGE frame_count:INT audio:AUDIO video_info:VHS_VIDEOINFO | video force_rate=0 force_size="Disabled" custom_width=512 custom_height=512 frame_load_cap=0 skip_first_frames=0 select_every_nth=1
"""


def _named(text: str) -> list[tuple[str, str]]:
    pairs = (part.partition(":") for part in text.split())
    return [(name, type_ or name) if colon else (name, name) for name, colon, type_ in pairs]


def _definition(line: str) -> tuple[str, Definition]:
    kind, inputs, outputs, widgets = (
        (part.strip() for part in line.split(" | ")) if line.count(" | ") == 3 else _parts(line)
    )
    names, defaults, rest = [], {}, widgets
    decoder = json.JSONDecoder()
    while rest:
        end = min((place for place in (rest.find("="), rest.find(" ")) if place >= 0), default=len(rest))
        name, rest_after = rest[:end], rest[end:]
        if rest_after.startswith("="):
            defaults[name], stop = decoder.raw_decode(rest_after, 1)
            rest_after = rest_after[stop:]
        names.append(name)
        rest = rest_after.strip()
    return kind, Definition(_named(inputs), _named(outputs), names, defaults)


def _parts(line: str) -> list[str]:
    """Of a line with empty parts, whose bars have no space behind or before them."""
    head, *parts = [part.strip() for part in line.replace("|pysssss", "\0").split("|")]
    return [head.replace("\0", "|pysssss"), *parts]


NODES = dict(_definition(line) for text in (_CORE, _PACKS) for line in text.strip().splitlines())
_OF_TEN = [("name", "None"), ("strength", 1), ("model_strength", 1), ("clip_strength", 1)]
_OF_FIFTY = [("lora_name", "None"), ("lora_wt", 1), ("model_str", 1), ("clip_str", 1)]
_TEN = {f"lora_{i}_{name}": value for i in range(1, 11) for name, value in _OF_TEN}
_FIFTY = {f"{name}_{i}": value for i in range(1, 50) for name, value in _OF_FIFTY}
for _kind, _wired, _out, _defaults in (
    ("easy loraStack", "optional_lora_stack", "lora_stack", {"toggle": True, "mode": "simple", "num_loras": 1, **_TEN}),
    ("LoRA Stacker", "lora_stack", "LORA_STACK", {"input_mode": "simple", "lora_count": 3, **_FIFTY}),
):
    NODES[_kind] = Definition([(_wired, "LORA_STACK")], [(_out, "LORA_STACK")], list(_defaults), dict(_defaults))
