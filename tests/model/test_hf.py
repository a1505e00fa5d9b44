from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedConfig

from bonsai.errors import InputError, IntegrityError, TrainingError
from bonsai.model.answerer import Answerer, Scored, ignore_progress
from bonsai.model.bases import Base
from bonsai.model.greedy import LOOP_TOKENS, batches, complete, loops
from bonsai.model.hf import LoadedBase, fitting_batch
from bonsai.model.prompt import CURRENT, AnswerTags, Question, declaration, parse
from bonsai.train.adapters import load, open_answerer
from bonsai.train.plan import TrainingPlan
from bonsai.train.qlora import train

EN = AnswerTags("The question is in English; answer in English.", "open_qa", "en")
JA = AnswerTags("The question is in Japanese; answer in Japanese.", "open_qa", "ja")
QUESTIONS = [
    Question("Where does Mike sleep (0)?"),
    Question("クロはどこで寝ますか(1)?"),
    Question("ソラ?"),
    Question("Where is the key?", "The key is in the hall."),
    Question("Who sleeps in the kitchen?"),
]
SCORED = [Scored(QUESTIONS[0], EN, "Mike sleeps in the kitchen."), Scored(QUESTIONS[1], JA, "クロは台所で寝ます。")]


@pytest.fixture
def bare(tiny_base: Base) -> LoadedBase:
    return load(tiny_base, "cpu")


def test_answers_come_in_the_order_of_the_questions_whatever_the_batches(bare: LoadedBase) -> None:
    answerer = bare.answerer(CURRENT)
    free: list[AnswerTags | None] = [None] * len(QUESTIONS)

    straight = answerer.answers(QUESTIONS, free, 12)
    backward = answerer.answers(QUESTIONS[::-1], free, 12)

    assert straight == backward[::-1]
    assert all(one.tokens <= 12 for one in straight)
    assert all(one.ended == (one.tokens < 12) for one in straight)


def test_forced_tags_stand_before_the_answer(bare: LoadedBase) -> None:
    [made] = bare.answerer(CURRENT).answers(QUESTIONS[:1], [JA], 5)

    assert made.text.startswith(declaration(CURRENT, JA))
    assert parse(made.text).tags == JA
    assert made.tokens <= 5


def test_without_a_limit_the_answers_language_sets_it(bare: LoadedBase) -> None:
    unending = replace(bare.base, answer_tokens_en=3, answer_tokens_ja=7)
    answerer = LoadedBase(unending, bare.model, replace(bare.encoder, ends=(1,))).answerer(CURRENT)

    made = answerer.answers([*QUESTIONS[:3], replace(QUESTIONS[4], answered_in="en")], [EN, JA, None, None])

    assert [one.tokens for one in made] == [3, 7, 7, 3]
    assert not any(one.ended for one in made)


def test_short_memory_answers_fewer_questions_at_once_and_never_none(bare: LoadedBase) -> None:
    text = bare.model.config
    longest = bare.base.max_tokens + bare.base.answer_tokens_ja
    one = 2 * text.num_hidden_layers * text.hidden_size * longest * 4  # keys and values in float32, bytes
    batch = bare.base.generation_batch

    assert fitting_batch(text, bare.base, batch * one) == batch
    assert fitting_batch(text, bare.base, batch * one - 1) == batch // 2
    assert fitting_batch(text, bare.base, 0) == 1
    assert fitting_batch(PreTrainedConfig(), bare.base, 0) == batch, "of an unknown kind"


def test_a_question_without_room_for_an_answer_is_refused(bare: LoadedBase) -> None:
    with pytest.raises(InputError, match="256"):
        bare.answerer(CURRENT).answers([Question("cat " * 400)], [None])


def test_a_batch_ends_before_a_row_twice_as_long() -> None:
    rows = [(1,) * length for length in (5, 40, 4, 9, 8, 41)]
    assert list(batches(rows, 4)) == [[2, 0, 4], [3], [1, 5]]
    assert list(batches(rows[:4], 1)) == [[2], [0], [3], [1]]


def test_a_loop_is_left_once_it_is_certain() -> None:
    quiet = list(range(100, 140))
    rows = [[*quiet, *[7] * 60], [*quiet, *[1, 2, 3] * 20], [*range(100)], [*quiet, *[7] * 47, *range(13)]]
    assert loops(torch.tensor(rows), 60).tolist() == [48, 48, 0, 0]
    assert loops(torch.tensor(rows), 47).tolist() == [0, 0, 0, 0], "what the row itself wrote is too short"
    assert loops(torch.tensor([[*quiet, *list(range(12)) * 5]]), 60).tolist() == [60]


def test_a_row_that_repeats_itself_does_not_write_to_its_limit(bare: LoadedBase) -> None:
    bare.model.lm_head.bias.data[7] = 1e4  # whatever is asked, the same token
    [made] = bare.answerer(CURRENT).answers(QUESTIONS[:1], [None], 150)
    assert not made.ended
    assert made.tokens == LOOP_TOKENS


def test_a_row_says_the_same_whatever_shares_its_batch(bare: LoadedBase) -> None:
    """Batches are broken off and mended, as some rows end early and others go on."""
    chance = random.Random(7)
    prompts = [tuple(chance.choices(range(3, 300), k=6 + number % 3 * 9)) for number in range(24)]
    free = complete(bare.model, prompts, [60] * 24, (1,), 24, ignore_progress)
    ends = tuple({made.ids[number % 5] for number, made in enumerate(free[:6])})

    alone, together = (complete(bare.model, prompts, [60] * 24, ends, size, ignore_progress) for size in (1, 16))

    assert alone == together
    assert len({made.ended for made in alone}) == 2


def test_an_answer_can_be_stopped_at_any_token(bare: LoadedBase) -> None:
    """A cancelled night need not wait for a batch, which takes minutes on a slow base."""
    beats: list[int] = []

    def stop_at_the_third(done: int) -> None:
        beats.append(done)
        if len(beats) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bare.answerer(CURRENT).answers(QUESTIONS, [None] * len(QUESTIONS), 200, stop_at_the_third)
    assert beats == [0, 0, 0]


def test_progress_ends_with_all_questions(bare: LoadedBase) -> None:
    answered: list[int] = []
    scored: list[int] = []
    bare.answerer(CURRENT).answers(QUESTIONS, [None] * len(QUESTIONS), 3, answered.append)
    bare.answerer(CURRENT).log_likelihoods(SCORED, scored.append)
    assert (answered, answered[-1]) == (sorted(answered), len(QUESTIONS))
    assert (scored, scored[-1]) == (sorted(scored), len(SCORED))


def test_likelihoods_are_those_of_a_plain_forward_pass(bare: LoadedBase) -> None:
    answerer = bare.answerer(CURRENT)

    found = answerer.log_likelihoods(SCORED)

    for scored, likelihood in zip(SCORED, found, strict=True):
        encoded = bare.encoder.encode(CURRENT, scored.question, scored.tags, scored.response)
        ids = torch.tensor([encoded.input_ids])
        with torch.inference_mode():
            logs = torch.log_softmax(bare.model(input_ids=ids).logits[0].float(), -1)
        start = len(encoded.prompt) + len(encoded.declaration)
        expected = -sum(float(logs[at - 1, ids[0, at]]) for at in range(start, start + len(encoded.response)))
        assert likelihood.bits == pytest.approx(expected / math.log(2), rel=1e-4)
        assert likelihood.bytes == len(scored.response.encode())


def test_a_trained_adapter_answers_better_and_its_base_stays_what_it_was(tiny_plan: TrainingPlan) -> None:
    trained = train(
        replace(tiny_plan, recipe=replace(tiny_plan.recipe, epochs=60, learning_rate=2e-2), steps=150), ignore
    )
    loaded = load(tiny_plan.base, "cpu")
    base = open_answerer(loaded, None)
    fingerprint, before = base.logits_fingerprint(), base.log_likelihoods(SCORED)

    adapter = open_answerer(loaded, trained.path)
    after = adapter.log_likelihoods(SCORED)

    assert all(new.bits < 0.95 * old.bits for new, old in zip(after, before, strict=True))
    assert adapter.logits_fingerprint() != fingerprint
    assert base.logits_fingerprint() == fingerprint
    assert base.log_likelihoods(SCORED) == before


def test_two_adapters_share_one_base_and_answer_as_when_alone(tiny_plan: TrainingPlan) -> None:
    one = train(tiny_plan, ignore)
    other = train(replace(tiny_plan, seed=8), ignore)

    loaded = load(tiny_plan.base, "cpu")
    together = {path: open_answerer(loaded, path) for path in (one.path, other.path)}
    prints = {path: answerer.logits_fingerprint() for path, answerer in together.items()}

    for path in (one.path, other.path):
        alone: Answerer = open_answerer(load(tiny_plan.base, "cpu"), path)
        assert alone.logits_fingerprint() == prints[path]
        assert together[path].logits_fingerprint() == prints[path]
    assert prints[one.path] != prints[other.path]


def test_evaluation_leaves_the_base_trainable(tiny_plan: TrainingPlan) -> None:
    from bonsai.train.qlora import with_lora

    loaded = load(tiny_plan.base, "cpu")
    loaded.answerer(CURRENT).answers(QUESTIONS, [None] * len(QUESTIONS), 3)

    model = with_lora(loaded.model, tiny_plan).train()
    ids = torch.tensor([[5, 6, 7, 8]])
    model(input_ids=ids, labels=ids).loss.backward()

    assert all(weight.grad is not None for name, weight in model.named_parameters() if "lora_B" in name)


def test_an_adapter_of_another_base_is_refused(tiny_plan: TrainingPlan, tmp_path: Path) -> None:
    import shutil

    made = train(tiny_plan, ignore)
    elsewhere = tmp_path / "other-base"
    shutil.copytree(tiny_plan.base.model, elsewhere)
    config = elsewhere / "config.json"
    config.write_text(config.read_text().replace('"layer_norm_eps": 1e-05', '"layer_norm_eps": 1e-04'))

    with pytest.raises(IntegrityError) as caught:
        open_answerer(load(replace(tiny_plan.base, model=str(elsewhere)), "cpu"), made.path)

    assert caught.value.key == "training.other_base"


def test_an_adapter_of_an_altered_template_is_refused(tiny_plan: TrainingPlan) -> None:
    import json

    from bonsai.train.manifest import MANIFEST_FILE, adapter_id

    made = train(tiny_plan, ignore)
    values = json.loads((made.path / MANIFEST_FILE).read_text())
    values["template_digest"] = "0" * 64
    values["adapter_id"] = adapter_id(values["files"], values["base_hash"], "0" * 64, values["snapshot_hash"])
    (made.path / MANIFEST_FILE).write_text(json.dumps(values))

    with pytest.raises(TrainingError, match="tagged"):
        open_answerer(load(tiny_plan.base, "cpu"), made.path)


def ignore(_progress: object) -> None:
    """For tests that do not look at the progress."""
