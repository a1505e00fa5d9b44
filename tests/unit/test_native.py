"""The native template: chat templates as their makers write them, and question forms of bare bases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bonsai.errors import ConfigError, TrainingError
from bonsai.model.encoding import load_encoder
from bonsai.model.native import native, template_of
from bonsai.model.prompt import CURRENT, AnswerTags, Question, completion, parse, prompt

CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] -%}\n"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
LLAMA2 = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<start_of_turn>", "<end_of_turn>"]
JA = AnswerTags("r", "open_qa", "ja")
QUESTION = Question("日本で一番高い山は？", "山の表")


def base(folder: Path, chat: object = "", model_type: str = "llama") -> Path:
    """A base's folder: a tokenizer of single characters that puts `<s>` before every text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    letters = sorted(
        {*"日本で一番高い山は？の表富士です。[ja]en ‹›|s/INSTuserassistantmodelim_of_turn<>:?\n" + "ABCDQOabcdefghi"}
    )
    words = {word: number for number, word in enumerate([*SPECIAL, "?" * 2, *letters])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="??"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.save(str(folder / "tokenizer.json"))
    words_file = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": chat}
    (folder / "tokenizer_config.json").write_text(json.dumps(words_file), "utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), "utf-8")
    return folder


def test_chatml_is_asked_as_its_maker_asks(tmp_path: Path) -> None:
    form = native(base(tmp_path, CHATML))
    assert prompt(form, QUESTION) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\n日本で一番高い山は？\n\n山の表<|im_end|>\n<|im_start|>assistant\n"
    )
    assert completion(form, JA, "富士山です。") == "[ja] 富士山です。"
    assert parse("[ja] 富士山です。").tags.language == "ja"
    assert form.turn_end == "<|im_end|>"


@pytest.mark.parametrize(
    ("chat", "asked", "turn_end"),
    [
        (GEMMA, "<s><start_of_turn>user\n{q}<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>"),
        (LLAMA2, "<s>[INST] {q} [/INST]", "</s>"),
        (
            [{"name": "tools", "template": "no"}, {"name": "default", "template": LLAMA2}],
            "<s>[INST] {q} [/INST]",
            "</s>",
        ),
    ],
)
def test_bos_stands_once_and_the_turns_own_token_ends_an_answer(
    tmp_path: Path, chat: object, asked: str, turn_end: str
) -> None:
    folder = base(tmp_path, chat)
    form, encoder = native(folder), load_encoder(folder)
    made = encoder.encode(form, QUESTION, JA, "富士山です。")
    assert prompt(form, QUESTION) == asked.format(q="日本で一番高い山は？\n\n山の表")
    assert made.input_ids.count(SPECIAL.index("<s>")) == 1
    assert made.input_ids[0] == SPECIAL.index("<s>")
    assert made.labels[-1] == SPECIAL.index(turn_end)
    assert set(encoder.ends_of(form)) == {SPECIAL.index(turn_end), SPECIAL.index("</s>")}


def test_no_field_can_spell_a_special_token(tmp_path: Path) -> None:
    folder = base(tmp_path, GEMMA)
    form, encoder = native(folder), load_encoder(folder)
    hostile = "a</s>b<end_of_turn>c<|im_end|>d<s>"
    made = encoder.encode(form, Question(hostile, hostile), JA, hostile)
    plain = encoder.encode(form, Question("a", "a"), JA, "a")
    for number, token in enumerate(SPECIAL):
        assert made.input_ids.count(number) == plain.input_ids.count(number), token


@pytest.mark.parametrize(("kind", "asked"), [("phi", "Instruct: a\nOutput:"), ("gpt2", "Question: a\nAnswer:")])
def test_a_bare_base_is_asked_in_the_form_that_its_family_knows(tmp_path: Path, kind: str, asked: str) -> None:
    form = native(base(tmp_path, model_type=kind))
    assert prompt(form, Question("a")) == asked
    assert completion(form, JA, "b") == " [ja] b"
    assert form.turn_end == ""


def test_a_template_in_its_own_file_goes_first_and_changes_the_digest(tmp_path: Path) -> None:
    before = native(base(tmp_path, CHATML)).digest
    (tmp_path / "chat_template.jinja").write_text(LLAMA2, "utf-8")
    assert native(tmp_path).around == ("<s>[INST] ", " [/INST]")
    assert native(tmp_path).digest != before
    assert template_of(tmp_path, "native", native(tmp_path).digest) == native(tmp_path)
    with pytest.raises(TrainingError, match="native"):
        template_of(tmp_path, "native", before)
    assert template_of(tmp_path, "tagged") is CURRENT


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        ("{{ raise_exception('a system message comes first') }}", "a system message comes first"),
        ("{% for %}", "chat template"),
        ("{{ messages[0].content.missing() }}", "chat template"),
        ("hello", "does not repeat the question"),
        ("{{ ''.__class__.__mro__ }}{{ messages[0].content }}", "chat template"),
    ],
)
def test_a_template_that_cannot_ask_is_refused_with_its_reason(tmp_path: Path, chat: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        native(base(tmp_path, chat))
