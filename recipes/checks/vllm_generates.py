"""vLLM starts on a GPU and generates from a small random Llama what transformers generates.

    vllm_generates.py [default|flashinfer|eager]

`default` takes vLLM's own choices, `flashinfer` FlashInfer's attention, `eager` compiles nothing. The
model has two layers and random weights, made here with a fixed seed: nothing is downloaded. Both sides
are greedy; they round differently, and after one different token everything differs, so it counts how
many tokens of each prompt agree from the start. Exit 1: the engine does not start, gives fewer tokens
than asked for, or most first tokens differ.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

PROMPTS = (tuple(range(3, 40)), tuple(range(100, 300)), (7, 8, 9), tuple(range(900, 964)))
TOKENS = 16


def make_model(folder: str) -> list[list[int]]:
    """Write the model to `folder`; return what transformers generates for each prompt on the GPU."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=512,
        intermediate_size=1024,
        num_hidden_layers=2,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=64,
        vocab_size=2048,
        max_position_embeddings=1024,
        initializer_range=0.2,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    model = model.cuda()
    wanted = []
    for prompt in PROMPTS:
        found = model.generate(
            torch.tensor([prompt]).cuda(),
            max_new_tokens=TOKENS,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=None,
        )
        wanted.append(found[0, len(prompt) :].tolist())
    del model
    torch.cuda.empty_cache()
    return wanted


def generate(folder: str, how: str) -> list[list[int]]:
    """Return what vLLM generates for each prompt."""
    from vllm import LLM, SamplingParams

    options: dict[str, object] = {}
    if how == "flashinfer":
        options["attention_backend"] = "FLASHINFER"
    began = time.monotonic()
    engine = LLM(
        folder,
        skip_tokenizer_init=True,
        dtype="bfloat16",
        max_model_len=512,
        gpu_memory_utilization=0.3,
        enforce_eager=how == "eager",
        **options,
    )
    print(f"{how}: engine up after {time.monotonic() - began:.1f} s", flush=True)
    greedy = SamplingParams(temperature=0, max_tokens=TOKENS, detokenize=False, ignore_eos=True)
    outputs = engine.generate([{"prompt_token_ids": list(prompt)} for prompt in PROMPTS], greedy)
    return [list(output.outputs[0].token_ids) for output in outputs]


def agreeing(found: list[int], wanted: list[int]) -> int:
    """Return how many tokens agree from the start."""
    pairs = zip(found, wanted, strict=False)
    return next((index for index, (left, right) in enumerate(pairs) if left != right), len(wanted))


def main(words: list[str]) -> int:
    """Generate in one way; 1 where it does not work."""
    how = words[0] if words else "default"
    if how not in ("default", "flashinfer", "eager"):
        print(f"unknown: {how}")
        return 2
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    import vllm

    print(
        f"GPU: {torch.cuda.get_device_name(0)}, torch {torch.__version__}, vLLM {vllm.__version__}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        wanted = make_model(folder)
        found = generate(folder, how)
    for prompt, ours, theirs in zip(PROMPTS, found, wanted, strict=True):
        same = agreeing(ours, theirs)
        print(f"prompt of {len(prompt)} tokens: {len(ours)} generated, the first {same} as by transformers")
    short = [ours for ours in found if len(ours) != TOKENS]
    first = sum(ours[:1] == theirs[:1] for ours, theirs in zip(found, wanted, strict=True))
    good = not short and first * 2 > len(PROMPTS)
    print(f"vllm {how}: {'generates' if good else 'FAILED'}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # threads of the engine may not end
