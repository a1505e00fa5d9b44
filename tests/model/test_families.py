"""Families of causal language models with tiny random weights: each is loaded, trained, saved, read again and asked."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from recipes import SMALL
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from bonsai.domain.snapshots import Snapshot
from bonsai.model.architecture import (
    ALL_LINEAR,
    context_length,
    head_is_all,
    linear_maps,
    missed_parameters,
    without_dropout,
)
from bonsai.model.bases import Base
from bonsai.model.hf import load_model
from bonsai.model.prompt import Question
from bonsai.train.adapters import load, open_answerer
from bonsai.train.plan import make_plan
from bonsai.train.qlora import train

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SIZES = {
    "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256, "bos_token_id": 0, "eos_token_id": 0,
    "pad_token_id": 0,
}  # fmt: skip
OWN_HEADS = {name: value for name, value in SIZES.items() if name not in ("num_key_value_heads", "head_dim")}
FAMILIES: dict[str, dict[str, Any]] = {
    "phi": OWN_HEADS,
    "phi3": SIZES,
    "llama": SIZES,
    "qwen2": SIZES,
    "qwen3": SIZES,
    "qwen3_5_text": SIZES
    | {"num_hidden_layers": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16,
       "linear_value_head_dim": 16},
    "gemma2": SIZES | {"sliding_window": 64},
    "gemma3_text": SIZES | {"sliding_window": 64},
    "gpt2": {"vocab_size": 512, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256, "bos_token_id": 0,
             "eos_token_id": 0},
    "gpt_neox": OWN_HEADS,
    "falcon": OWN_HEADS | {"new_decoder_architecture": False},
    "opt": OWN_HEADS | {"ffn_dim": 128, "word_embed_proj_dim": 32},
    "bloom": {"vocab_size": 512, "hidden_size": 64, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0,
              "pad_token_id": 0},
    "olmo2": SIZES,
    "granite": SIZES | {"logits_scaling": 4.0},
    "lfm2": SIZES | {"num_hidden_layers": 4, "layer_types": ["conv", "conv", "full_attention", "conv"]},
    "smollm3": SIZES,
}  # fmt: skip
OWN_WAY_TO_LOGITS = {"gemma2", "granite"}
"Cap or scale what the LM head says."


def make_base(family: str, folder: Path, tokenizer: Path) -> None:
    """Random weights of the family's language model beside the tests' tokenizer."""
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(CONFIG_MAPPING[family](**FAMILIES[family]))
    model.save_pretrained(folder)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_trains_and_answers(family: str, tiny_base: Base, tiny_snapshot: Snapshot, tmp_path: Path) -> None:
    folder = tmp_path / family
    make_base(family, folder, Path(tiny_base.model))
    base = replace(tiny_base, name=family, model=str(folder), quantisation="none")
    bare = load_model(base, "cpu")
    assert head_is_all(bare) == (family not in OWN_WAY_TO_LOGITS)
    assert context_length(bare.config) == (None if family == "bloom" else 256)
    assert list(linear_maps(bare))
    (tmp_path / "run").mkdir()
    plan = make_plan(
        family,
        base,
        replace(
            SMALL,
            template="native",
            target_modules=(ALL_LINEAR,),
            learning_rate=5e-3,
            epochs=6,
            accumulate=1,
            kl_to_base=0.5,
        ),
        tiny_snapshot,
        device="cpu",
        threads=1,
        seed=7,
        run_folder=tmp_path / "run",
        adapters_folder=tmp_path / "adapters",
        created_at=NOW,
    )
    losses: list[float] = []

    made = train(plan, lambda progress: losses.append(progress.loss))

    a_pass = len(losses) // 6  # steps of different rows are no comparison
    assert fmean(losses[-a_pass:]) < fmean(losses[:a_pass]) - 0.05
    assert json.loads((made.path / "passport.json").read_text())["measured"]["reload_difference"] < 1e-4
    answerer = open_answerer(load(base, "cpu"), made.path)
    questions = [Question("Where does Mike sleep (0)?"), Question("クロはどこで寝ますか(1)?")]
    alone = [answerer.answers([one], [None], 8)[0] for one in questions]
    assert [one.tokens for one in answerer.answers(questions, [None, None], 8)] == [one.tokens for one in alone]


def test_dropout_and_activation_have_several_names() -> None:
    gpt2 = without_dropout(AutoConfig.for_model("gpt2"))
    assert (gpt2.resid_pdrop, gpt2.embd_pdrop, gpt2.attn_pdrop) == (0.0, 0.0, 0.0)
    assert gpt2.activation_function == "gelu_pytorch_tanh"
    opt = without_dropout(AutoConfig.for_model("opt"))
    assert (opt.dropout, opt.attention_dropout, opt.activation_function) == (0.0, 0.0, "relu")
    inside = without_dropout(AutoConfig.for_model("gemma3"))
    assert inside.get_text_config().attention_dropout == 0.0
    assert context_length(inside) == inside.text_config.max_position_embeddings


def test_what_no_adapter_changes_is_named() -> None:
    hybrid = AutoModelForCausalLM.from_config(CONFIG_MAPPING["lfm2"](**FAMILIES["lfm2"]))
    assert missed_parameters(hybrid) == {"conv.weight": 3}
    plain = AutoModelForCausalLM.from_config(CONFIG_MAPPING["llama"](**FAMILIES["llama"]))
    assert missed_parameters(plain) == {}
