from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trl import SFTTrainer

from bonsai.domain import snapshots
from bonsai.errors import IntegrityError, TrainingError
from bonsai.model.bases import Base
from bonsai.model.encoding import HELD, IGNORED, load_encoder
from bonsai.model.hf import frozen_hash, load_model
from bonsai.model.prompt import CURRENT, AnswerTags, Question, completion, prompt
from bonsai.system.json_values import from_values
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import TrainingPlan, TrainingProgress
from bonsai.train.qlora import check_rows, check_trained, labels_of, prepared, to_dataset, train, with_lora
from bonsai.train.sft import BonsaiTrainer, divergence, hf_tokenizer, sft_config


def ignore(_progress: TrainingProgress) -> None:
    """For tests that do not look at the progress."""


def with_recipe(plan: TrainingPlan, **changes: object) -> TrainingPlan:
    return replace(plan, recipe=replace(plan.recipe, **changes))  # type: ignore[arg-type]


def test_a_training_ends_with_a_whole_adapter_and_tells_every_step(tiny_plan: TrainingPlan) -> None:
    seen: list[TrainingProgress] = []

    made = train(tiny_plan, seen.append)

    assert [progress.step for progress in seen] == list(range(1, tiny_plan.steps + 1))
    assert seen[-1].loss < seen[0].loss
    assert seen[-1].tokens_per_second > 0
    assert seen[-1].eta_seconds == 0
    manifest = read_manifest(made.path)
    assert made.path == Path(tiny_plan.adapters_folder) / made.id
    assert manifest.adapter_id == made.id
    assert manifest.snapshot_hash == tiny_plan.snapshot_hash
    assert from_values(TrainingPlan, manifest.plan) == tiny_plan
    assert manifest.measured["reload_difference"] < 1e-4
    assert manifest.measured["validation_loss"] > 0
    assert sorted(manifest.files) == ["adapter_config.json", "adapter_model.safetensors", "plan.json"]


def test_the_same_plan_gives_the_same_adapter_and_another_seed_another(tiny_plan: TrainingPlan) -> None:
    first = train(tiny_plan, ignore)
    again = train(tiny_plan, ignore)
    other = train(replace(tiny_plan, seed=8), ignore)

    assert again == first
    assert other.id != first.id
    assert sorted(path.name for path in Path(tiny_plan.adapters_folder).iterdir()) == sorted([first.id, other.id])


def test_lora_weights_are_float32_and_cover_six_modules_in_every_layer(tiny_plan: TrainingPlan) -> None:
    made = train(tiny_plan, ignore)

    weights = load_file(made.path / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert len(weights) == 6 * 2 * 2  # modules, layers, A and B
    assert all(weight.abs().max() > 0 for weight in weights.values())


def test_labels_cover_the_completion_and_its_end_alone(tiny_base: Base, tiny_snapshot: snapshots.Snapshot) -> None:
    encoder = load_encoder(Path(tiny_base.model))
    for row in (*tiny_snapshot.train, *tiny_snapshot.validation):
        encoded = encoder.example(CURRENT, row)
        learned = [label for label in encoded.labels if label != IGNORED]

        assert len(encoded.labels) == len(encoded.input_ids)
        assert learned[-1] == encoder.end
        assert encoder.text(learned[:-1]) == completion(
            CURRENT, AnswerTags(row.reasoning, row.category, row.language), row.output
        )
        given = [one for one, label in zip(encoded.input_ids, encoded.labels, strict=True) if label == IGNORED]
        assert encoder.text(given) == prompt(CURRENT, Question(row.instruction, row.context))


def test_replay_rows_are_not_learned_and_hold_the_model_to_its_base(
    tiny_plan: TrainingPlan, tiny_snapshot: snapshots.Snapshot
) -> None:
    plan = with_recipe(tiny_plan, kl_to_base=2.0)
    encoder = load_encoder(Path(plan.base.model))
    rows = [
        replace(encoder.example(CURRENT, row), taught=number > 1) for number, row in enumerate(tiny_snapshot.train[:4])
    ]
    model = with_lora(load_model(plan.base, "cpu"), plan).train()
    trainer = BonsaiTrainer(
        model=model,
        args=sft_config(plan),
        train_dataset=to_dataset(rows, plan.recipe),
        processing_class=hf_tokenizer(plan),
    )
    batch = dict(next(iter(trainer.get_train_dataloader())))
    learned = {**batch, "labels": torch.where(batch["labels"] == HELD, IGNORED, batch["labels"])}
    trainer.recipe = replace(plan.recipe, kl_to_base=0.0)
    taught = trainer.compute_loss(model, dict(learned), num_items_in_batch=torch.tensor(50))
    trainer.recipe = plan.recipe

    untouched = trainer.compute_loss(model, dict(batch), num_items_in_batch=torch.tensor(50))
    assert untouched.item() == pytest.approx(taught.item(), rel=1e-5)  # a fresh LoRA is the base: no divergence yet

    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
    with model.disable_adapter(), torch.no_grad():
        base = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.log_softmax(-1)
    ours = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.log_softmax(-1)
    free = (batch["labels"][:, 1:] < 0) & batch["attention_mask"][:, 1:].bool()
    apart = (base.exp() * (base - ours)).sum(-1)[:, :-1][free].sum()
    trainer.recipe = replace(plan.recipe, kl_to_base=0.0)
    taught = trainer.compute_loss(model, dict(learned), num_items_in_batch=torch.tensor(50))
    trainer.recipe = replace(plan.recipe, kl_to_base=2.0)
    both = trainer.compute_loss(model, dict(batch), num_items_in_batch=torch.tensor(50))
    assert both.item() == pytest.approx(taught.item() + 2.0 * apart.item() / 50, rel=1e-4)

    held = torch.where(batch["labels"] >= 0, HELD, batch["labels"])
    alone = trainer.compute_loss(model, {**batch, "labels": held})
    assert torch.isfinite(alone)
    assert alone.item() > 0


def test_a_divergence_in_parts_is_that_of_the_whole() -> None:
    head, places = torch.nn.Linear(8, 50), torch.Generator().manual_seed(3)
    mine, base = (torch.randn(23, 8, generator=places) for _ in range(2))
    made = []
    for numbers in (50 * 23, 50 * 5, 1):
        ours = mine.clone().requires_grad_()
        apart = divergence(head, ours, base, numbers)
        apart.backward()  # type: ignore[no-untyped-call]
        assert ours.grad is not None
        made.append((apart.item(), ours.grad))
    assert made[0][0] > 0
    for apart, slope in made[1:]:
        assert apart == pytest.approx(made[0][0], rel=1e-5)
        assert torch.allclose(slope, made[0][1], atol=1e-6)


def test_the_quick_loss_on_a_cpu_is_trls_loss(
    tiny_plan: TrainingPlan, tiny_snapshot: snapshots.Snapshot, tmp_path: Path
) -> None:
    encoder = load_encoder(Path(tiny_plan.base.model))
    data = to_dataset([encoder.example(CURRENT, row) for row in tiny_snapshot.train[:4]], tiny_plan.recipe)
    model = with_lora(load_model(tiny_plan.base, "cpu"), tiny_plan).train()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
    tokenizer = hf_tokenizer(tiny_plan)
    trainer = BonsaiTrainer(model=model, args=sft_config(tiny_plan), train_dataset=data, processing_class=tokenizer)
    trainer.recipe = tiny_plan.recipe
    batch = next(iter(trainer.get_train_dataloader()))

    for items in (None, torch.tensor(50)):
        quick = trainer.compute_loss(model, dict(batch), num_items_in_batch=items)
        trls = SFTTrainer.compute_loss(trainer, model, dict(batch), num_items_in_batch=items)
        assert quick.item() == pytest.approx(trls.item(), rel=1e-5)


def test_a_loss_that_is_no_number_stops_the_training_and_leaves_nothing(tiny_plan: TrainingPlan) -> None:
    exploding = with_recipe(tiny_plan, learning_rate=1e30, warmup_share=0.0, max_grad_norm=1e30)

    with pytest.raises(TrainingError, match="at step") as caught:
        train(exploding, ignore)

    assert caught.value.key == "training.loss_not_finite"
    assert caught.value.values["step"] < tiny_plan.steps
    assert not Path(tiny_plan.adapters_folder).exists()


def test_a_training_of_a_single_step_learns(tiny_plan: TrainingPlan) -> None:
    plan = replace(with_recipe(tiny_plan, warmup_share=0.1, learning_rate=1e-2), steps=1)

    assert json.loads((train(plan, ignore).path / "passport.json").read_text())["measured"]["steps"] == 1


def test_a_learning_rate_of_zero_is_no_adapter(tiny_plan: TrainingPlan) -> None:
    with pytest.raises(TrainingError) as caught:
        train(with_recipe(tiny_plan, learning_rate=0.0), ignore)

    assert caught.value.key == "training.no_effect"
    assert not Path(tiny_plan.adapters_folder).exists()


def test_a_module_that_the_base_lacks_is_refused_though_others_match(tiny_plan: TrainingPlan) -> None:
    plan = with_recipe(tiny_plan, target_modules=("q_proj", "gate_proj"))

    with pytest.raises(TrainingError, match="gate_proj"):
        train(plan, ignore)


def test_a_base_that_moved_is_noticed(tiny_plan: TrainingPlan) -> None:
    bare = load_model(tiny_plan.base, "cpu")
    before = frozen_hash(bare)
    model = with_lora(bare, tiny_plan)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    check_trained(model, before)

    with torch.no_grad():
        model.get_base_model().lm_head.bias += 1e-6

    with pytest.raises(TrainingError) as caught:
        check_trained(model, before)
    assert caught.value.key == "training.base_moved"


def test_an_over_long_row_is_refused_not_cut(tiny_base: Base, tiny_snapshot: snapshots.Snapshot) -> None:
    row = load_encoder(Path(tiny_base.model)).example(CURRENT, tiny_snapshot.train[0])

    check_rows([row], len(row.input_ids))
    with pytest.raises(TrainingError, match=str(len(row.input_ids))):
        check_rows([row], len(row.input_ids) - 1)


def test_another_snapshot_than_planned_is_refused(tiny_plan: TrainingPlan) -> None:
    with pytest.raises(IntegrityError) as caught:
        train(replace(tiny_plan, snapshot_hash="0" * 64, snapshot_id="0" * 16), ignore)

    assert caught.value.key == "training.other_snapshot"


def test_packed_rows_and_accumulation_train_too(tiny_plan: TrainingPlan) -> None:
    plan = with_recipe(tiny_plan, packing=True, by_length=False, accumulate=2, gradient_checkpointing=True)

    made = train(replace(plan, steps=2), ignore)

    assert read_manifest(made.path).measured["steps"] == 2


def test_the_original_scripts_recipe_learns_the_prompt_too_on_a_base_in_float32(
    tiny_plan: TrainingPlan, tiny_snapshot: snapshots.Snapshot
) -> None:
    plan = with_recipe(tiny_plan, learn_prompt=True, prepare_kbit=True, gradient_checkpointing=True)
    encoder = load_encoder(Path(plan.base.model))
    row = encoder.example(CURRENT, tiny_snapshot.train[0])
    assert labels_of(row, plan.recipe) == row.input_ids
    assert labels_of(row, tiny_plan.recipe)[: len(row.prompt)] == [IGNORED] * len(row.prompt)
    half = replace(plan.base, compute_dtype="bfloat16")
    dtypes = [{w.dtype for w in prepared(load_model(half, "cpu"), p).parameters()} for p in (tiny_plan, plan)]
    assert torch.bfloat16 in dtypes[0]
    assert torch.bfloat16 not in dtypes[1]

    as_ours = read_manifest(train(replace(tiny_plan, steps=2), ignore).path).measured["train_loss"]
    as_theirs = read_manifest(train(replace(plan, steps=2), ignore).path).measured["train_loss"]

    assert as_ours != pytest.approx(as_theirs, rel=1e-3)


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "adapter_config.json", "plan.json", "passport.json"])
def test_a_tampered_adapter_is_refused(tiny_plan: TrainingPlan, file: str) -> None:
    made = train(replace(tiny_plan, steps=2), ignore)
    path = made.path / file
    if file == "passport.json":
        values = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**values, "base_hash": "0" * 64}))
    else:
        content = bytearray(path.read_bytes())
        content[-2] ^= 1
        path.write_bytes(content)

    with pytest.raises(IntegrityError, match=file):
        read_manifest(made.path)
