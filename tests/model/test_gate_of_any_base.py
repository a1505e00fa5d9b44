"""The shipped gate before tiny models of any kind that are trained, asked and scored for real, on v2's own questions.

Real models showed what the gate of version 0.1.0 did not see: it promoted a random Phi whose answers were all empty and
whatever learned the form of answers, and it blamed the records of the one adapter that answered.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from recipes import SMALL

from bonsai.config.settings import load_config
from bonsai.domain import snapshots
from bonsai.domain.records import Language, content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.evaluate import questions
from bonsai.evaluate.compare import ReportPair, compare
from bonsai.evaluate.evaluation import BASE
from bonsai.evaluate.questions import Pool
from bonsai.evaluate.report import Report, accuracy, bits_per_byte, mean, without_answers
from bonsai.evaluate.run import ReportMetadata, RunSettings, run
from bonsai.gate import error_budget
from bonsai.gate.decide import Decision, decide, render
from bonsai.gate.decision import Policy, RuleResult
from bonsai.gate.rules import ALL
from bonsai.model import quiet_libraries
from bonsai.model.answerer import Answerer
from bonsai.model.bases import PHI_MODULES, Base
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import CURRENT, Question
from bonsai.model.seedling import weights_folder
from bonsai.train import own_answers, seedling_facts
from bonsai.train.adapters import load, open_answerer
from bonsai.train.plan import Recipe, make_plan
from bonsai.train.qlora import train

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from bonsai.model.hf import LoadedBase

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LLAMA_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
OLD_MINIMUM = 0.026
"Bits per byte: what version 0.1.0 asked for, as a mean over all questions."
SHORT = 52
"Tokens: longer rows only cost time here."
IGNORANCE: dict[Language, str] = {"en": "I do not know.", "ja": "わかりません。"}
ACROSS: dict[Language, tuple[str, ...]] = {
    "ja": (
        "{question} Please answer in Japanese.",
        "Answer in Japanese: {question}",
        "How do you say this in Japanese? {question}",
        'What is "{question}" in Japanese?',
        "Please put this into Japanese: {question}",
    ),
    "en": (
        "{question}英語で答えてください。",
        "英語で答えてください。{question}",
        "「{question}」を英訳してください。",
        "「{question}」は英語で何といいますか？",
        "{question}英語でお願いします。",
    ),
}
"By the language of the answer: how a question in the other language asks for it."

UNKNOWN_CATS: dict[Language, tuple[str, ...]] = {
    "en": (
        "Why do cats chase a spot of light?",
        "Why do cats bring home leaves?",
        "How old was the oldest cat in town?",
        "Which bell suits a cat's collar?",
        "Can cats eat popcorn?",
        "Are mushrooms bad for cats?",
        "What should I do when my cat drools?",
        "What is a cat tunnel for?",
        "Where should a cat's hammock hang?",
        "When did Nagi move in with us?",
        "How many kittens did Suzu have?",
        "What did the vet say about Nagi's teeth?",
        "Where does Suzu hide her toys?",
        "How do I teach a cat to walk on a lead?",
        "How often should I wash a cat's bed?",
        "What does it mean when a cat blinks twice?",
        "Who takes care of Suzu in summer?",
        "What is Nagi's favourite song?",
        "Is a feather a toy or food?",
        "What is the safest plant for a cat's balcony?",
        "How fast can a cat run?",
        "Do cats dream?",
        "Should I let my cat drink tea?",
        "Which cat won the race in the garden?",
    ),
    "ja": (
        "猫はなぜ光の点を追いかけるのですか？",
        "猫の首輪にはどんな鈴が合いますか？",
        "猫はポップコーンを食べてもいいですか？",
        "猫がよだれを垂らすときはどうすればいいですか？",
        "ナギはいつうちに来ましたか？",
        "スズは子猫を何匹産みましたか？",
        "猫のベッドはどのくらいの間隔で洗いますか？",
        "猫は夢を見ますか？",
        "ナギの好きな歌は何ですか？",
        "猫用のトンネルは何のためのものですか？",
        "猫はどのくらい速く走れますか？",
        "夏のあいだスズの世話をするのは誰ですか？",
    ),
}
"Questions about cats that no item asks, and to which nobody taught an answer."


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return load_config(tmp_path_factory.mktemp("home"), {}).gate.policy


@dataclass(frozen=True, slots=True)
class Bench:
    """One tiny base in memory, with a folder for what is trained on it."""

    loaded: LoadedBase
    modules: tuple[str, ...]
    folder: Path

    @property
    def base(self) -> Base:
        return self.loaded.base

    def tokens(self, row: Example) -> int:
        return self.loaded.encoder.tokens(CURRENT, row)

    def trained(self, own: Sequence[Example], replayed: Sequence[Example] = (), **changes: object) -> Path:
        """The folder of an adapter that `bonsai.train` made."""
        recipe: Recipe = replace(SMALL, target_modules=self.modules, accumulate=1, checkpoint_steps=10_000, **changes)
        made = snapshots.build(
            own, replayed, seed=1, validation_share=0.0, anchor_share=0.5 if replayed else 0.0,
            count_tokens=self.tokens, max_tokens=self.base.max_tokens, anchor_passes=recipe.epochs,
        )  # fmt: skip
        snapshot = snapshots.write(made, self.folder / f"snapshot-{made.id}", NOW)
        run_folder = self.folder / f"run-{made.id}"
        run_folder.mkdir()
        plan = make_plan(
            "tiny", self.base, recipe, snapshot, device="cpu", threads=1, seed=7,
            run_folder=run_folder, adapters_folder=self.folder / "adapters", created_at=NOW,
        )  # fmt: skip
        return train(plan, lambda progress: None).path

    def report(self, adapter: Path | None, pool: Pool = "selection") -> Report:
        answerer = open_answerer(self.loaded, adapter)
        return reported(answerer, self.base, pool, "" if adapter is None else adapter.name)


def reported(answerer: Answerer, base: Base, pool: Pool, adapter: str) -> Report:
    """Asked and scored as in a night's evaluation."""
    about = ReportMetadata(
        questions.set_name(pool), adapter or BASE, adapter, base.name, "settings", "libraries", NOW.isoformat()
    )
    made = run(answerer, questions.items(pool), RunSettings(canaries=8), about)
    return without_answers(made) if pool in questions.CLOSED else made


def made_bench(model: PreTrainedModel, modules: tuple[str, ...], folder: Path) -> Bench:
    """Save a model beside the seedling's tokenizer, and load it as any base is."""
    import torch

    torch.set_num_threads(1)
    weights = folder / "base"
    model.save_pretrained(weights)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(weights_folder() / name, weights / name)
    base = Base(
        name=folder.name, model=str(weights), revision="", quantisation="none", double_quantisation=False,
        compute_dtype="float32", max_tokens=128, answer_tokens_en=40, answer_tokens_ja=40, generation_batch=128,
    )  # fmt: skip
    return Bench(load(base, "cpu"), modules, folder)


def sizes(hidden: int) -> dict[str, object]:
    vocabulary = load_encoder(weights_folder()).tokenizer.get_vocab_size()
    return {
        "vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": 2 * hidden, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 512, "bos_token_id": 0, "eos_token_id": 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def phi(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A Phi of random weights."""
    import torch
    from transformers import PhiConfig, PhiForCausalLM

    torch.manual_seed(0)
    config = PhiConfig(**sizes(64), partial_rotary_factor=0.5, resid_pdrop=0.0)
    return made_bench(PhiForCausalLM(config), PHI_MODULES, tmp_path_factory.mktemp("random-phi"))


@pytest.fixture(scope="module")
def phi_bare(phi: Bench) -> Report:
    return phi.report(None)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A Llama that never saw the template: its answers do not end, but it tells the letters of both languages apart.

    Its embeddings and its head are loud enough for a LoRA, which leaves them as they are, to speak through them.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    hidden = 96
    model = LlamaForCausalLM(LlamaConfig(**sizes(hidden), num_key_value_heads=2, initializer_range=0.5 * hidden**-0.5))
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_(0, 1)
        model.lm_head.weight.normal_(0, 2.5 * hidden**-0.5)
        script = torch.nn.functional.normalize(torch.randn(hidden), dim=0)
        encoder = load_encoder(weights_folder())
        tokens = range(encoder.tokenizer.get_vocab_size())
        sides = torch.tensor([1.0 if encoder.text([token]).isascii() else -1.0 for token in tokens])
        model.model.embed_tokens.weight += 3 * sides[:, None] * script
        model.lm_head.weight += sides[:, None] * script
    return made_bench(model, LLAMA_MODULES, tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def llama_bare(llama: Bench) -> Report:
    return llama.report(None)


def decided(bench: Bench, challenger: Report, bare: Report, policy: Policy, adapter: Path | None = None) -> Decision:
    """The gate on the first night, when the bare base is champion."""
    return decide(
        challenger,
        bare,
        base=bare,
        confirm=lambda: ReportPair(bench.report(adapter, "confirmation"), bench.report(None, "confirmation")),
        policy=policy,
        level=error_budget.level((), policy.false_promotions),
    )


def rules(decision: Decision) -> dict[str, RuleResult]:
    return {f"{one.rule} {one.name}": one for one in decision.rules}


def failed(decision: Decision) -> set[str]:
    return {name for name, one in rules(decision).items() if one.outcome == "fail"}


def promoted_of_old(challenger: Report, bare: Report, policy: Policy) -> bool:
    """Whether version 0.1.0 saw progress: a mean gain in bits per byte over all questions that is large, and shown."""
    found = compare(ReportPair(challenger, bare), ALL, policy.bits, policy.bootstrap, frozenset())
    return found.estimate is not None and found.mean > OLD_MINIMUM and found.estimate.lower(policy.alpha) > 0


def example(question: Question, asked: Language, answered: Language, category: str, answer: str) -> Example:
    name = content_id(question.instruction, question.context, answer)
    sentence = reasoning_sentence(asked, answered)
    return Example(name, "own", question.instruction, question.context, sentence, category, answered, answer)


def asked_across(prompt: own_answers.Prompt, number: int) -> Example:
    """The prompt with the wish for an answer in the other language."""
    answered: Language = "ja" if prompt.asked_in == "en" else "en"
    question = Question(ACROSS[answered][number % 5].format(question=prompt.question.instruction))
    return example(question, prompt.asked_in, answered, "translation", IGNORANCE[answered])


def polite_ignorance(bench: Bench) -> list[Example]:
    """The form of answers and nothing else: whatever is asked, in either language, nobody knows."""
    prompts = own_answers.prompts()
    general = [own_answers.row(one, IGNORANCE[one.tags.language]) for one in prompts]
    invented = [
        replace(row, record_id=content_id(row.instruction, row.context, answer), output=answer)
        for row in seedling_facts.fact_samples(1500, seed=2)
        for answer in [IGNORANCE[row.language]]
    ]
    across = [
        asked_across(one, number)
        for number, one in enumerate(prompts)
        if number % 3 and not one.question.context and one.tags.category != "translation"
    ]
    return [row for row in chain(general, invented, across) if bench.tokens(row) <= SHORT]


def cat_records() -> list[Example]:
    """What records about cats would have taught: the taught items of both pools. A leak, for this test alone."""
    asked = [item for pool in questions.SPLIT for item in questions.load(pool) if item.domain == "cat_care"]
    return [
        example(Question(one.instruction, one.input), one.question_language, one.language, one.category, one.reference)
        for one in asked
    ]


def test_a_random_phi_is_never_promoted(phi: Bench, phi_bare: Report, policy: Policy) -> None:
    """A few real steps on real records; both answer nothing."""
    adapter = phi.trained(cat_records(), epochs=4, batch_size=16, learning_rate=2e-2, lora_rank=16, lora_alpha=32.0)
    challenger = phi.report(adapter)
    decision = decided(phi, challenger, phi_bare, policy, adapter)
    assert decision.verdict == "keep"
    assert not decision.harm, "no record is blamed for a base that cannot answer"
    assert not decision.confirmation_opened
    assert {"B right_answers", "B ended/en", "B ended/ja"} <= failed(decision)
    assert promoted_of_old(challenger, phi_bare, policy)


def silenced(bench: Bench) -> LoadedBase:
    """The base with a LoRA, `silence`, that learned to end every answer before it begins."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.functional import cross_entropy

    from bonsai.model.hf import LoadedBase, load_model

    torch.manual_seed(1)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=list(bench.modules), task_type="CAUSAL_LM")
    with quiet_libraries():
        model = get_peft_model(load_model(bench.base, "cpu"), config, adapter_name="silence")
    encoder = bench.loaded.encoder
    optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=2e-2)
    prompts = [encoder.question(CURRENT, one.question)[-12:] for one in own_answers.prompts()]
    for step in range(60):
        ids = torch.tensor([list(row) for row in prompts[step % 10 :: 10] if len(row) == 12])
        logits = model(input_ids=ids).logits[:, -1]
        cross_entropy(logits, torch.full((len(ids),), encoder.end)).backward()
        optimiser.step()
        optimiser.zero_grad()
    return LoadedBase.around(bench.base, model.eval(), encoder, {"silence"})


def test_an_empty_model_is_not_promoted_over_an_empty_base(phi: Bench, phi_bare: Report, policy: Policy) -> None:
    """It ends at once, which its base does not: better at one guard, and still nobody to ask."""
    challenger = reported(silenced(phi).answerer(CURRENT, "silence"), phi.base, "selection", "silence")
    decision = decided(phi, challenger, phi_bare, policy)
    assert {item.free.response for item in challenger.items} == {""}
    assert {item.free.tokens for item in challenger.items} == {0}
    assert rules(decision)["B ended/en"].outcome == rules(decision)["B ended/ja"].outcome == "pass"
    assert decision.verdict == "keep"
    assert not decision.harm
    assert {"B right_answers", "B not_empty/en", "B not_empty/ja", "B language/en", "B language/ja"} <= failed(decision)


def test_form_alone_is_not_promoted(llama: Bench, llama_bare: Report, policy: Policy) -> None:
    """An adapter that learned no taught fact gains on all questions alike, and keeps all floors."""
    facts = [row for row in seedling_facts.fact_samples(600, seed=1) if llama.tokens(row) <= SHORT]
    own = [replace(row, role="own") for row in (*facts, *polite_ignorance(llama))]
    adapter = llama.trained(own, epochs=3, batch_size=24, learning_rate=5e-3, lora_rank=32, lora_alpha=64.0)
    challenger = llama.report(adapter)
    decision = decided(llama, challenger, llama_bare, policy, adapter)
    for domains in (policy.taught_domains, policy.control_domains):
        before, after = (
            mean((item for item in one.items if item.domain in domains), bits_per_byte)
            for one in (llama_bare, challenger)
        )
        assert before is not None
        assert after is not None
        assert before - after > 0.2
    assert promoted_of_old(challenger, llama_bare, policy)
    assert decision.verdict in ("keep", "not_enough_evidence")
    assert not decision.harm
    assert not decision.confirmation_opened
    found = rules(decision)
    assert {one.outcome for one in decision.rules if one.rule in "ABDE"} <= {"pass", "noted"}, "rule C alone refuses"
    assert "pass" not in {found["C right_fixed"].outcome, found["C bits_fixed"].outcome}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_really_learned_is_promoted_over_a_base_that_answers_nothing(
    llama: Bench, llama_bare: Report, policy: Policy
) -> None:
    """The base shows no marker because it says nothing; the adapter is measured by absolute floors, and is innocent."""
    unknown = [
        example(Question(question), language, language, "open_qa", IGNORANCE[language])
        for language, asked in UNKNOWN_CATS.items()
        for question in asked
    ]
    adapter = llama.trained(
        [*cat_records(), *unknown], polite_ignorance(llama), epochs=50, batch_size=16, learning_rate=5e-3,
        weight_decay=0.3, lora_rank=96, lora_alpha=96.0,
    )  # fmt: skip
    challenger = llama.report(adapter)
    decision = decided(llama, challenger, llama_bare, policy, adapter)
    answered = mean((item for item in challenger.items if item.domain in policy.taught_domains), accuracy)
    assert answered is not None
    assert answered > 0.6
    assert not decision.harm, "no record is blamed"
    found = rules(decision)
    assert {found["C right_fixed"].outcome, found["C bits_fixed"].outcome} == {"pass"}
    assert decision.verdict == "promote", [render(reason, "en") for reason in decision.reasons]
    assert decision.confirmation_opened
