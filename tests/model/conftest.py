"""A Phi of 0.2 million random parameters with its own tokenizer: everything real but its knowledge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recipes import SMALL

from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.model.bases import Base
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import CURRENT, END, MARKERS
from bonsai.train.plan import TrainingPlan, make_plan

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MODULES = ("q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2")
RECIPE = replace(SMALL, target_modules=MODULES, learning_rate=5e-3, accumulate=1, checkpoint_steps=4)


def examples() -> list[Example]:
    """Twelve records about invented cats, half in Japanese."""
    made = []
    for number, (name, yomi) in enumerate([("Mike", "ミケ"), ("Kuro", "クロ"), ("Sora", "ソラ")] * 2):
        room = ("kitchen", "台所") if number < 3 else ("hall", "廊下")
        en = (f"Where does {name} sleep ({number})?", f"{name} sleeps in the {room[0]}.", "en", "English")
        ja = (f"{yomi}はどこで寝ますか({number})?", f"{yomi}は{room[1]}で寝ます。", "ja", "Japanese")
        for instruction, output, language, word in (en, ja):
            reasoning = f"The question is in {word}; answer in {word}."
            made.append(Example(f"{language}{number}", "own", instruction, "", reasoning, "open_qa", language, output))
    return made


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Weights and tokenizer in a folder, NF4 when loaded."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PhiConfig, PhiForCausalLM, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tiny-phi")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    learner = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=[END, *MARKERS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [text for row in examples() for text in (row.instruction, row.output, row.reasoning)]
    tokenizer.train_from_iterator(texts, learner)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END, bos_token=END).save_pretrained(
        folder
    )
    torch.manual_seed(0)
    config = PhiConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        partial_rotary_factor=0.5,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=0,
        resid_pdrop=0.0,
        tie_word_embeddings=True,
    )
    PhiForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return Base(
        name="tiny",
        model=str(folder),
        revision="",
        quantisation="nf4",
        double_quantisation=True,
        compute_dtype="float32",
        max_tokens=128,
        answer_tokens_en=24,
        answer_tokens_ja=32,
        generation_batch=4,
    )


@pytest.fixture
def tiny_snapshot(tiny_base: Base, tmp_path: Path) -> Snapshot:
    """The twelve records, written."""
    encoder = load_encoder(Path(tiny_base.model))
    made = snapshots.build(
        examples(),
        [],
        seed=1,
        validation_share=0.17,
        anchor_share=0.5,
        count_tokens=lambda row: encoder.tokens(CURRENT, row),
        max_tokens=tiny_base.max_tokens,
    )
    return snapshots.write(made, tmp_path / "snapshot", NOW)


@pytest.fixture
def tiny_plan(tiny_base: Base, tiny_snapshot: Snapshot, tmp_path: Path) -> TrainingPlan:
    """Nine steps in a second."""
    run = tmp_path / "runs" / "night-1"
    run.mkdir(parents=True)
    return make_plan(
        "tiny",
        tiny_base,
        RECIPE,
        tiny_snapshot,
        device="cpu",
        threads=1,
        seed=7,
        run_folder=run,
        adapters_folder=tmp_path / "adapters",
        created_at=NOW,
    )
