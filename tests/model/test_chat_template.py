"""The exported chat template makes exactly the prompt ids that Bonsai makes, whatever a question holds."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, processors
from transformers import AutoTokenizer

from bonsai.model.bases import Base
from bonsai.model.chat_template import go_template
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.model.prompt import Question
from bonsai.train.exporting import write_prompt

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<start_of_turn>' + m['role'] + '\n' + m['content'] + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
LLAMA2 = "{% for m in messages %}{{ bos_token + '[INST] \"' + m['content'] + '\\\\\" [/INST]' }}{% endfor %}"
SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]"]
PIECES = [
    "<", "|", ">", " ", "\n", "\t", "\r\n", "\u3000", "\x1f", "cat", "猫", "🐈", "'", '"', "\\", "{{", "}}", "{%", "%}",
    "<|response|>", "< |instruction| >", *SPECIAL,
]  # fmt: skip


def base_folder(tiny: Base, folder: Path, chat: str) -> Path:
    """The tiny base with more special tokens, `<s>` before every text, and this chat template."""
    shutil.copytree(tiny.model, folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_special_tokens([AddedToken(one, special=True, normalized=False) for one in SPECIAL])
    start = [("<s>", tokenizer.token_to_id("<s>"))]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=start)
    tokenizer.save(str(folder / "tokenizer.json"))
    words = {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": chat, "tokenizer_class": "Other"}
    (folder / "tokenizer_config.json").write_text(json.dumps(words))
    return folder


@pytest.mark.parametrize("name", ["tagged", "alpaca", "native"])
@pytest.mark.parametrize("chat", [CHATML, GEMMA, LLAMA2, ""], ids=["chatml", "gemma", "llama2", "bare"])
def test_prompts_are_the_same_ids(tiny_base: Base, tmp_path: Path, chat: str, name: str) -> None:
    folder = base_folder(tiny_base, tmp_path / "base", chat)
    base, encoder, form = replace(tiny_base, model=str(folder)), load_encoder(folder), template_of(folder, name)
    (tmp_path / "out").mkdir()
    write_prompt(base, form, encoder, tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    chance = random.Random(7)

    def text() -> str:
        return "".join(chance.choices(PIECES, k=chance.randint(1, 10)))

    for _ in range(300):
        question = Question(text(), chance.choice(["", text()]))
        message = {"role": "user", "content": question.instruction, "context": question.context}
        found = tokenizer.apply_chat_template([message], add_generation_prompt=True, return_dict=False)
        assert found == list(encoder.question(form, question)), question
    history = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert tokenizer.apply_chat_template(history, return_dict=False) == list(encoder.question(form, Question("c")))
    generation = json.loads((tmp_path / "out/generation_config.json").read_text())
    assert generation["eos_token_id"] == list(encoder.ends_of(form))


def test_a_modelfile_has_the_question_where_go_puts_it(tiny_base: Base, tmp_path: Path) -> None:
    folder = base_folder(tiny_base, tmp_path / "base", CHATML)
    assert go_template(template_of(folder, "native")) == (
        "<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert go_template(template_of(folder, "tagged")) == "<|system|>You are Bonsai.\n<|instruction|>{{ .Prompt }}\n"
