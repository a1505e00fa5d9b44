"""Training speed of a Phi-2 LoRA on a GPU, rung by rung from the seed script's settings to those of the profiles.

    python benchmarks/gpu_training.py                       # a GPU: Phi-2's exact shape, random weights, 6-8 minutes
    python benchmarks/gpu_training.py --document-tokens 512 # documents of one length: what the goals are stated for
    python benchmarks/gpu_training.py --smoke               # a small shape in seconds, also on a CPU

Needs torch, transformers and peft; a rung that needs more (bitsandbytes, a kernel) is skipped, with the reason. Texts
are as long as real English and Japanese records in Phi-2's tokens (`--data`, else the saved lengths); every rung gets
the same tokens in the same order. Packing is checked first: three documents in a pack against each alone,
eager and in float32. Real tokens are counted, padding is not.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import phi2_shape as phi2
from bonsai.model import quiet_libraries, varlen

PEAK_FLOPS = 790e12
"bfloat16 products a second of an H200 as measured with large matrices; not the data sheet's 989."
WARM_UP_STEPS = 3
CPU_NOTE = "THESE ARE NOT THE FIGURES: a small shape on a CPU shows that the rungs run, and nothing about their speed."


@dataclass(frozen=True)
class Rung:
    """One training setup; each changes one thing of the previous one."""

    name: str
    batch: int
    "Documents or packed rows per step."
    nf4: bool = True
    prepared: bool = False
    "peft's prepare_model_for_kbit_training: everything that is not NF4 becomes float32."
    checkpointing: bool = True
    whole_loss: bool = False
    "The question is learned too, and every position goes through the LM head."
    packing: bool = False
    attention: str = "sdpa"
    fused: bool = False
    "The fused gelu, and no dropout in base or LoRA."
    compiled: bool = False


SEED = Rung(
    "seed script: batch 2, NF4, checkpointing, prepare_model_for_kbit_training", 2, prepared=True, whole_loss=True
)
UNPREPARED = replace(SEED, name="without that call, loss on answers", prepared=False, whole_loss=False)
BF16 = replace(UNPREPARED, name="bf16 base", nf4=False)
UNCHECKED = replace(BF16, name="no checkpointing", checkpointing=False)
PACKED = replace(UNCHECKED, name="packed rows, SDPA with a mask", batch=8, packing=True)
VARLEN = replace(PACKED, name="packed rows, varlen_attn", attention="varlen")
FUSED = replace(VARLEN, name="fused gelu, no dropout", fused=True)
COMPILED = replace(FUSED, name="regional torch.compile", compiled=True)
QLORA = replace(FUSED, name="QLoRA: NF4, checkpointing, packs of 4 rows", batch=4, nf4=True, checkpointing=True)
LADDER = (SEED, UNPREPARED, BF16, UNCHECKED, PACKED, VARLEN, FUSED, COMPILED, QLORA)


@dataclass(frozen=True)
class Measured:
    """Result of one rung."""

    name: str
    tokens_per_second: float = 0.0
    share_of_peak: float = 0.0
    peak_gib: float = 0.0
    loss: float = 0.0
    left_out: str = ""
    "Why it was skipped."


def why_not(rung: Rung, device: str) -> str:
    """Why a rung cannot run here; empty if it can."""
    if rung.nf4 or rung.prepared:
        try:
            import bitsandbytes  # noqa: F401
        except ImportError:
            return "bitsandbytes is not installed"
    return varlen.why_not(device) if rung.attention == "varlen" else ""


def model_of(rung: Rung, shape: phi2.Shape, device: str) -> Any:
    """The rung's model, ready to train."""
    config = phi2.config_of(shape, fused=rung.fused, attention=rung.attention)
    model = phi2.random_model(config, device, nf4=rung.nf4)
    if rung.prepared:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if rung.checkpointing and hasattr(model, "activation_checkpointing_enable"):  # the name since transformers 5.23
        model.activation_checkpointing_enable()
    elif rung.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    with quiet_libraries():
        wrapped = phi2.with_lora(model, 0.0 if rung.fused else 0.05).train()
    if rung.compiled:
        for layer in model.model.layers:
            layer.compile()
    return wrapped


def batches_of(
    rung: Rung, documents: Sequence[phi2.Document], shape: phi2.Shape, device: str, steps: int
) -> Iterator[phi2.Batch]:
    """The same documents in the same order, in the rung's form; repeats when they are used up."""
    if rung.packing:
        made = phi2.packed_batches(documents, shape, rung.batch, device, flat=rung.attention == "varlen")
    else:
        made = phi2.padded_batches(documents, shape, rung.batch, device, whole=rung.whole_loss)
    return islice(cycle(islice(made, steps)), steps)


def measure(rung: Rung, shape: phi2.Shape, documents: Sequence[phi2.Document], device: str, steps: int) -> Measured:
    """Train some steps; timing starts after the warm-up (and compilation)."""
    if rung.attention == "varlen" and rung is not VARLEN and varlen.why_not(device):
        rung = replace(rung, name=f"{rung.name} (SDPA)", attention="sdpa")
    reason = why_not(rung, device)
    if reason:
        return Measured(rung.name, left_out=reason)
    on_gpu = device == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    model = model_of(rung, shape, device)
    weights = [weight for weight in model.parameters() if weight.requires_grad and weight.is_leaf]
    optimiser = torch.optim.AdamW(weights, lr=2e-4, fused=True)
    batches = list(batches_of(rung, documents, shape, device, steps + WARM_UP_STEPS))
    began, tokens, loss = 0.0, 0, torch.zeros(())
    for step, batch in enumerate(batches):
        if step == WARM_UP_STEPS:
            _wait(on_gpu)
            began = time.perf_counter()
        with torch.autocast(device, torch.bfloat16) if on_gpu else nullcontext():
            loss = phi2.loss_of(model, batch, every_position=rung.whole_loss)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        tokens += batch.real_tokens if step >= WARM_UP_STEPS else 0
    _wait(on_gpu)
    speed = tokens / (time.perf_counter() - began)
    share = speed * phi2.flops_per_token(shape, documents) / PEAK_FLOPS
    memory = torch.cuda.max_memory_allocated() / 2**30 if on_gpu else 0.0
    return Measured(rung.name, speed, share, memory, loss.item())


def _wait(on_gpu: bool) -> None:
    if on_gpu:
        torch.cuda.synchronize()


def packing_error(device: str, attention: str) -> float:
    """Largest relative difference of a document's loss and gradients: packed, against alone in eager float32.

    Attention to a neighbour, or a start at another position than 0, would change them by some tenths.
    """
    dtype = torch.bfloat16 if attention == "varlen" else torch.float32
    documents = [phi2.Document(3, 40), phi2.Document(10, 90), phi2.Document(1, 77)]
    shape = replace(phi2.SMALL, row=256)
    [pack] = phi2.packed_batches(documents, shape, 1, device, flat=attention == "varlen")
    one = phi2.random_model(phi2.config_of(shape, fused=True, attention=attention), device, nf4=False, dtype=dtype)
    other = phi2.random_model(phi2.config_of(shape, fused=True, attention="eager"), device, nf4=False).float()
    other.load_state_dict(one.state_dict())
    for model in (one, other):
        model.model.layers[0].self_attn.q_proj.weight.requires_grad_(True)
    together = phi2.loss_of(one, pack, every_position=False)
    together.backward()
    learned = [document.tokens - document.prompt for document in documents]
    alone = torch.zeros((), device=device)
    for number, document in enumerate(documents):
        ids = phi2.ids_of(document, number, shape)
        labels = torch.tensor([phi2.labels_of(document, ids, False)], device=device)
        batch = phi2.Batch({"input_ids": torch.tensor([ids], device=device)}, labels, len(ids))
        alone = alone + phi2.loss_of(other, batch, every_position=False) * learned[number] / sum(learned)
    alone.backward()
    grads = [model.model.layers[0].self_attn.q_proj.weight.grad.float() for model in (one, other)]
    by_grad = float((grads[0] - grads[1]).norm() / grads[1].norm())
    return max(by_grad, float((together.detach() - alone.detach()).abs() / alone.detach()))


def check_packing(device: str) -> bool:
    """Print the difference between packed and single documents; False if it is too large."""
    passed = True
    for attention, limit in (("sdpa", 1e-4), ("varlen", 0.05)):
        reason = varlen.why_not(device) if attention == "varlen" else ""
        if reason:
            print(f"packing check, {attention}: left out, {reason}")
            continue
        if attention == "varlen":
            varlen.register()
        error = packing_error(device, attention)
        passed &= error < limit
        print(f"packing check, {attention}: differs by {error:.1e} from eager float32 per document (limit {limit:g})")
    return passed


def show(found: Sequence[Measured], on_gpu: bool) -> None:
    """Print the table."""
    first = next((one.tokens_per_second for one in found if not one.left_out), 1.0)
    print(f"\n{'rung':<76}{'tokens/s':>9}{'of 790 TF/s':>12}{'GiB':>7}{'ratio':>7}{'loss':>7}")
    for one in found:
        if one.left_out:
            print(f"{one.name:<76} left out: {one.left_out}")
            continue
        memory = f"{one.peak_gib:>7.1f}" if on_gpu else f"{'-':>7}"
        share = f"{one.share_of_peak:>12.1%}" if on_gpu else f"{'-':>12}"
        ratio = one.tokens_per_second / first
        print(f"{one.name:<76}{one.tokens_per_second:>9.0f}{share}{memory}{ratio:>6.1f}x{one.loss:>7.2f}")


def show_goals(found: Sequence[Measured]) -> None:
    """Print whether the goals for an H200 are met; they apply to documents of 512 tokens."""
    by_name = {one.name: one for one in found if not one.left_out}
    seed, qlora = by_name.get(SEED.name), by_name.get(QLORA.name)
    full = [one for one in by_name.values() if one.name not in (SEED.name, QLORA.name)]
    if seed is None or not full:
        return
    best = max(full, key=lambda one: one.tokens_per_second)
    ratio = best.tokens_per_second / seed.tokens_per_second
    print(f"\nfastest: {best.name}: {best.share_of_peak:.0%} of the rate (goal 50 %), {ratio:.1f}x the seed (goal 5x)")
    if qlora is not None:
        ratio = qlora.tokens_per_second / seed.tokens_per_second
        print(f"QLoRA: {ratio:.1f}x the seed (goal 2.5x) in {qlora.peak_gib:.1f} GiB (goal 8 GB)")


def main() -> int:
    """Check, measure, print; 1 if packing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--document-tokens", type=int, default=0, help="one length for all; 0: as real records are")
    parser.add_argument(
        "--steps", type=int, default=20, help="measured steps a rung (five times as many unpacked ones)"
    )
    parser.add_argument("--rungs", default="", help="numbers of rungs, such as 1,6,7; all by default")
    parser.add_argument("--smoke", action="store_true", help="a small shape, two steps a rung, nothing compiled")
    parser.add_argument("--save-lengths", action="store_true", help="write the records' lengths for other machines")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    chosen = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    small = chosen.smoke or device == "cpu"
    shape = phi2.SMALL if small else phi2.PHI2
    here = (chosen.data / "phi2_tokenizer").is_dir()
    documents = phi2.real_documents(chosen.data) if here else phi2.saved_documents()
    if chosen.save_lengths:
        phi2.save_lengths(documents)
    documents = phi2.fitted(documents, shape, chosen.document_tokens)
    mean = sum(one.tokens for one in documents) / len(documents)
    what = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{what}, torch {torch.__version__}; {len(documents)} documents, {mean:.0f} tokens on average")
    if small:
        print(CPU_NOTE)
    if not check_packing(device):
        return 1
    numbers = [int(one) for one in chosen.rungs.split(",")] if chosen.rungs else range(1, len(LADDER) + 1)
    found = []
    for rung in (LADDER[number - 1] for number in numbers):
        if small and rung.compiled:
            found.append(Measured(rung.name, left_out="compiling says nothing at this size"))
            continue
        steps = 2 if chosen.smoke else chosen.steps * (1 if rung.packing else 5)
        try:
            found.append(measure(rung, shape, documents, device, steps))
        except RuntimeError as error:  # out of memory, a missing kernel, the compiler: the other rungs still run
            found.append(Measured(rung.name, left_out=f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"))
        print(f"{found[-1]}", file=sys.stderr, flush=True)
        gc.collect()
        if device == "cuda":
            torch.cuda.empty_cache()
    show(found, device == "cuda")
    if small:
        print(f"\n{CPU_NOTE}")
    else:
        show_goals(found)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
