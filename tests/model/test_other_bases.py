"""Any causal LM of transformers can be the base: named in the settings, with its target modules, and nothing else."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bonsai.config.settings import ProfileSettings, load_config
from bonsai.domain.snapshots import Snapshot
from bonsai.errors import IntegrityError
from bonsai.model.bases import Base
from bonsai.model.prompt import AnswerTags, Question
from bonsai.train.adapters import load, open_answerer
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import AdapterFolder, TrainingProgress, make_plan
from bonsai.train.trainer import ProcessTrainer

pytestmark = pytest.mark.long

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SETTINGS = """
[profiles.phi2-qlora.base]
name = "{name}"
model = "{folder}"
revision = ""
quantisation = "{quantisation}"
compute_dtype = "float32"
max_tokens = 128
answer_tokens_en = 8
answer_tokens_ja = 8

[profiles.phi2-qlora.recipe]
target_modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
learning_rate = 5e-3
epochs = 6
accumulate = 1
"""


def make_base(kind: str, folder: Path, tokenizer: Path) -> None:
    """Random weights and a tokenizer in a folder, as `save_pretrained` leaves them."""
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    sizes = {
        "vocab_size": Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size(),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    torch.manual_seed(0)
    made = LlamaForCausalLM(LlamaConfig(**sizes)) if kind == "llama" else Qwen2ForCausalLM(Qwen2Config(**sizes))
    made.to(torch.bfloat16).save_pretrained(folder)


def train(profile: ProfileSettings, snapshot: Snapshot, folder: Path, seen: list[TrainingProgress]) -> AdapterFolder:
    run = folder / "run"
    run.mkdir()
    plan = make_plan(
        "phi2-qlora",
        profile.base,
        profile.recipe,
        snapshot,
        device="cpu",
        threads=1,
        seed=7,
        run_folder=run,
        adapters_folder=folder / "adapters",
        created_at=NOW,
    )
    return ProcessTrainer().train(plan, seen.append)


@pytest.mark.parametrize(("kind", "quantisation"), [("llama", "nf4"), ("qwen2", "none")])
def test_another_base_is_a_matter_of_settings(
    tmp_path: Path, tiny_base: Base, tiny_snapshot: Snapshot, kind: str, quantisation: str
) -> None:
    folder = tmp_path / kind
    make_base(kind, folder, Path(tiny_base.model))
    text = SETTINGS.format(name=kind, folder=folder, quantisation=quantisation)
    (tmp_path / "bonsai.toml").write_text(text, "utf-8")
    profile = load_config(tmp_path, {}).profiles["phi2-qlora"]
    seen: list[TrainingProgress] = []

    made = train(profile, tiny_snapshot, tmp_path, seen)

    assert seen[-1].step == seen[-1].steps
    assert seen[-1].loss < seen[0].loss
    manifest = read_manifest(made.path)
    assert (manifest.base_name, manifest.base_revision) == (kind, "")
    assert manifest.measured["reload_difference"] < 1e-4
    tags = AnswerTags("The question is in English; answer in English.", "open_qa", "en")
    answerer = open_answerer(load(profile.base, "cpu"), made.path)
    assert answerer.answers([Question("Where does Mike sleep (0)?")], [tags])[0].tokens > 0

    with pytest.raises(IntegrityError) as caught:
        open_answerer(load(tiny_base, "cpu"), made.path)
    assert caught.value.key == "training.other_base"
    assert caught.value.values["trained_on"] == kind
