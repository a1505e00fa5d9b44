"""Model and data for `gpu_training.py`: random weights in Phi-2's exact shape, documents of realistic length.

Needs torch, transformers and peft; bitsandbytes only where NF4 is asked for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import PhiConfig, PhiForCausalLM

from bonsai.model.bases import PHI_MODULES
from bonsai.train.order import packed

IGNORED = -100
SAVED_LENGTHS = Path(__file__).parent / "results" / "phi2_token_lengths.json"
"Prompt and completion lengths of real records, written by `--save-lengths`, for machines without the records."


@dataclass(frozen=True)
class Shape:
    """Size of the model and the packs."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    row: int
    "Tokens of a packed row."


PHI2 = Shape(hidden=2560, layers=32, heads=32, feed_forward=10240, vocabulary=51200, row=1024)
SMALL = Shape(hidden=160, layers=2, heads=2, feed_forward=320, vocabulary=2048, row=256)


@dataclass(frozen=True)
class Document:
    """One record in tokens."""

    prompt: int
    "Number of prompt tokens, which are not learned."
    tokens: int
    "Number of all tokens."


@dataclass(frozen=True)
class Batch:
    """One step's input on a device."""

    inputs: dict[str, Any]
    labels: torch.Tensor  # (rows, width), shifted by the loss
    real_tokens: int


def config_of(shape: Shape, *, fused: bool, attention: str) -> PhiConfig:
    """Phi-2's configuration; every field is set, because transformers' defaults are those of Phi-1.

    `fused`: the fused form of the same gelu, and no dropout; else as Phi-2 ships.
    """
    return PhiConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        hidden_act="gelu_pytorch_tanh" if fused else "gelu_new",
        resid_pdrop=0.0 if fused else 0.1,
        embd_pdrop=0.0,
        attention_dropout=0.0,
        partial_rotary_factor=0.4,
        max_position_embeddings=2048,
        bos_token_id=shape.vocabulary - 944,
        eos_token_id=shape.vocabulary - 944,  # 50256 of Phi-2
        attn_implementation=attention,
    )


def random_model(config: PhiConfig, device: str, *, nf4: bool, dtype: torch.dtype = torch.bfloat16) -> PhiForCausalLM:
    """Random weights, made on the device; `nf4` quantises the linear layers of the blocks."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = PhiForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    if nf4:
        _quantise(model, dtype)
        model.is_loaded_in_4bit = True
    return model.requires_grad_(False)  # type: ignore[no-any-return]


def _quantise(model: PhiForCausalLM, dtype: torch.dtype) -> None:
    """Quantise as BitsAndBytesConfig(load_in_4bit=True) does, without a checkpoint on disk."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    for layer in model.model.layers:
        for name in PHI_MODULES:
            parent = layer.mlp if hasattr(layer.mlp, name) else layer.self_attn
            old: nn.Linear = getattr(parent, name)
            made = Linear4bit(
                old.in_features,
                old.out_features,
                True,
                dtype,
                compress_statistics=True,
                quant_type="nf4",
                device="meta",
            )
            made.weight = Params4bit(old.weight.data.cpu(), requires_grad=False, quant_type="nf4")
            made.bias = old.bias
            setattr(parent, name, made.to(old.weight.device))


def with_lora(model: PhiForCausalLM, dropout: float) -> Any:
    """The LoRA of the Phi-2 profiles, in float32."""
    lora = LoraConfig(
        r=16, lora_alpha=32, lora_dropout=dropout, target_modules=list(PHI_MODULES), task_type="CAUSAL_LM"
    )
    wrapped = get_peft_model(model, lora)
    for name, weight in wrapped.named_parameters():
        if "lora_" in name:
            weight.data = weight.data.float()
    return wrapped


def real_documents(data: Path) -> list[Document]:
    """English and Japanese records (half each) through Phi-2's tokenizer and Bonsai's prompt."""
    from bonsai.model.encoding import load_encoder
    from bonsai.model.prompt import CURRENT, AnswerTags, Question

    encoder = load_encoder(data / "phi2_tokenizer")
    made: dict[str, list[Document]] = {}
    for name, language in (("dolly_en_8k.jsonl", "en"), ("jsquad_ja_2k.jsonl", "ja")):
        tags = AnswerTags("The question is in this language; answer in it.", "closed_qa", language)
        found = []
        for line in (data / name).read_text("utf-8").splitlines()[:1500]:
            row = json.loads(line)
            question = Question(row["instruction"], row.get("context") or row.get("input") or "")
            one = encoder.encode(CURRENT, question, tags, row.get("response") or row["output"])
            found.append(Document(len(one.prompt), len(one.input_ids)))
        made[language] = [document for document in found if document.tokens <= PHI2.row][:1000]
    mixed = [document for pair in zip(made["en"], made["ja"], strict=False) for document in pair]
    random.Random(7).shuffle(mixed)
    return mixed


def save_lengths(documents: Sequence[Document]) -> None:
    """Save the lengths only, no texts."""
    SAVED_LENGTHS.parent.mkdir(exist_ok=True)
    pairs = [[document.prompt, document.tokens] for document in documents]
    SAVED_LENGTHS.write_text(json.dumps(pairs, separators=(",", ":")) + "\n", "utf-8")


def saved_documents() -> list[Document]:
    """The lengths of `save_lengths`."""
    return [Document(*pair) for pair in json.loads(SAVED_LENGTHS.read_text("utf-8"))]


def fitted(documents: Sequence[Document], shape: Shape, length: int) -> list[Document]:
    """Documents clipped to a row; with a `length`, all of that length, 30 % of it learned."""
    if length:
        return [Document(round(0.7 * length), length)] * len(documents)
    scale = shape.row / PHI2.row
    return [Document(max(1, int(one.prompt * scale)), max(4, int(one.tokens * scale))) for one in documents]


def ids_of(document: Document, number: int, shape: Shape) -> list[int]:
    """Random tokens that depend on the document only, not on its batch."""
    chance = random.Random(number)
    return [chance.randrange(min(50_000, shape.vocabulary)) for _ in range(document.tokens)]


def labels_of(document: Document, ids: list[int], whole: bool) -> list[int]:
    """Labels for the completion's tokens, or for all tokens."""
    return ids if whole else [IGNORED] * document.prompt + ids[document.prompt :]


def padded_batches(
    documents: Sequence[Document], shape: Shape, size: int, device: str, *, whole: bool
) -> Iterator[Batch]:
    """Batches of `size` documents, padded to the longest, as in the seed script."""
    for start in range(0, len(documents) - size + 1, size):
        chosen = [(ids_of(documents[i], i, shape), documents[i]) for i in range(start, start + size)]
        width = max(len(ids) for ids, _ in chosen)
        ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in chosen])
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in chosen])
        labels = torch.tensor([labels_of(one, ids, whole) + [IGNORED] * (width - len(ids)) for ids, one in chosen])
        inputs = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
        yield Batch(inputs, labels.to(device), int(mask.sum()))


def packed_batches(
    documents: Sequence[Document], shape: Shape, rows: int, device: str, *, flat: bool
) -> Iterator[Batch]:
    """Batches of `rows` packs: as rows (SDPA with a mask), or `flat` in one row with borders (varlen attention).

    The rest of a pack is filled with a document without labels, so that every batch has the same shape.
    """
    packs = packed(range(len(documents)), [one.tokens for one in documents], shape.row)
    most = max(len(pack) for pack in packs) + 1
    for start in range(0, len(packs) - rows + 1, rows):
        ids: list[int] = []
        labels: list[int] = []
        lengths: list[int] = []
        for pack in packs[start : start + rows]:
            for number in pack:
                one = ids_of(documents[number], number, shape)
                ids += one
                labels += [IGNORED, *labels_of(documents[number], one, False)[1:]]  # no document predicts the next
                lengths.append(len(one))
            room = len(ids) % shape.row
            if room:
                lengths.append(shape.row - room)
                ids += [0] * (shape.row - room)
                labels += [IGNORED] * (shape.row - room)
        real = sum(documents[number].tokens for pack in packs[start : start + rows] for number in pack)
        positions = torch.tensor([position for length in lengths for position in range(length)], device=device)
        size = (1, -1) if flat else (rows, shape.row)
        inputs: dict[str, Any] = {
            "input_ids": torch.tensor(ids, device=device).view(size),
            "position_ids": positions.view(size),
        }
        if flat:
            ends = torch.tensor(lengths).cumsum(0).tolist()
            borders = [0, *ends, *[ends[-1]] * (rows * most - len(ends))]  # empty documents: always as many borders
            inputs["cu_seq_lens_q"] = torch.tensor(borders, dtype=torch.int32, device=device)
            inputs["max_length_q"] = shape.row
        yield Batch(inputs, torch.tensor(labels, device=device).view(size), real)


def loss_of(model: Any, batch: Batch, *, every_position: bool) -> torch.Tensor:
    """Mean loss per label. The LM head runs on labelled positions only, or on all, as in older trainers."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(**batch.inputs, use_cache=False).last_hidden_state[:, :-1]  # (rows, width - 1, hidden)
    labels = batch.labels[:, 1:]
    learned = labels != IGNORED
    if every_position:
        logits = causal.lm_head(hidden).float()  # (rows, width - 1, vocabulary)
        return cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    return cross_entropy(causal.lm_head(hidden[learned]).float(), labels[learned])


def flops_per_token(shape: Shape, documents: Sequence[Document]) -> float:
    """Forward and backward through a frozen base, without recomputing; 10.7e9 for Phi-2 at 512-token documents.

    A frozen weight costs one product forward and one backward (to its input); the LoRA products are about 2 %.
    """
    blocks = shape.layers * (4 * shape.hidden**2 + 2 * shape.hidden * shape.feed_forward)
    lora = shape.layers * 16 * (10 * shape.hidden + 2 * shape.feed_forward)
    tokens = sum(one.tokens for one in documents)
    learned = sum(one.tokens - one.prompt for one in documents) / tokens
    seen = sum(one.tokens**2 / 2 for one in documents) / tokens  # tokens that a token looks at, on average
    attention = shape.layers * seen * shape.hidden * 4 * 3.5  # products of queries, keys, values; backward 2.5 times
    return 4 * blocks + 6 * lora + 4 * learned * shape.hidden * shape.vocabulary + attention
