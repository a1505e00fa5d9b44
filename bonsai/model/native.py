"""The native template: a base is asked in the form that it was made for.

A chat model's own chat template, or, for a bare base, the question form that its family knows. All that Bonsai adds is
the language of the answer, a few tokens before it:

    <|im_start|>user
    日本で一番高い山は？<|im_end|>
    <|im_start|>assistant
    [ja] 富士山です。<|im_end|>                          <- the completion begins at "[ja]"

The chat template is Jinja text of the base's folder, run in a sandbox, once: what stands before and after a question is
the same for every question.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bonsai.errors import ConfigError
from bonsai.model import prompt
from bonsai.model.bases import base_values
from bonsai.model.prompt import NATIVE, Template

BARE_FORMS = {"phi": ("Instruct: ", "\nOutput:")}
"Model type -> the question form of bases without a chat template, as their makers publish it."
ANY_BARE_FORM = ("Question: ", "\nAnswer:")
_QUESTION, _ANSWER = "\ue000question\ue000", "\ue000answer\ue000"
"Private-use characters: no template has them."
_DATE = "2026-01-01"
"What templates that write today's date are told: a prompt that changes every day would be another template."


def template_of(folder: Path, name: str, digest: str | None = None) -> Template:
    """The template of this name for the base in `folder`, native or one of Bonsai's own.

    Raises TrainingError when it is unknown or differs from `digest`, ConfigError when the base's chat template fails.
    """
    if name != NATIVE:
        return prompt.template(name, digest)
    return prompt.unaltered(native(folder), digest)


def native(folder: Path) -> Template:
    """The native template of the base in `folder`."""
    words = base_values(folder / "tokenizer_config.json")
    reserved = tuple(one["content"] for one in base_values(folder / "tokenizer.json").get("added_tokens", ()))
    chat = _chat_template(folder, words)
    if not chat:
        before, after = BARE_FORMS.get(base_values(folder / "config.json").get("model_type", ""), ANY_BARE_FORM)
        return Template(NATIVE, "", ("language",), (before, after), "", reserved)
    asked = {"role": "user", "content": _QUESTION}
    question = _rendered(chat, [asked], words, folder, add_generation_prompt=True)
    answered = _rendered(chat, [asked, {"role": "assistant", "content": _ANSWER}], words, folder)
    if question.count(_QUESTION) != 1 or answered.count(_ANSWER) != 1:
        raise ConfigError("model.chat_template_loses", folder=folder)
    before, _, after = question.partition(_QUESTION)
    behind = answered.partition(_ANSWER)[2].lstrip()
    turn_end = next((token for token in sorted(reserved, key=len, reverse=True) if behind.startswith(token)), "")
    return Template(NATIVE, "", ("language",), (before, after), turn_end, reserved)


def has_chat_template(folder: Path) -> bool:
    """Whether the base in `folder` has a chat template of its own."""
    return bool(_chat_template(folder, base_values(folder / "tokenizer_config.json")))


def _chat_template(folder: Path, words: dict[str, Any]) -> str:
    """The base's chat template; empty without one. Older files list several by name."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text("utf-8")
    found = words.get("chat_template") or ""
    if isinstance(found, list):
        named = {one["name"]: one["template"] for one in found}
        found = named.get("default") or next(iter(named.values()), "")
    return str(found)


def _rendered(
    chat: str,
    messages: list[dict[str, str]],
    words: dict[str, Any],
    folder: Path,
    *,
    add_generation_prompt: bool = False,
) -> str:
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(reason: str) -> None:
        raise TemplateError(reason)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = lambda value, **_options: json.dumps(value, ensure_ascii=False)
    environment.globals.update(raise_exception=refuse, strftime_now=lambda _form: _DATE)
    special = {name: _content(words.get(name)) for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    try:
        return environment.from_string(chat).render(
            messages=messages,
            add_generation_prompt=add_generation_prompt,
            enable_thinking=False,
            tools=None,
            documents=None,
            **special,
        )
    except (TemplateError, TypeError, ValueError, KeyError) as error:
        raise ConfigError("model.chat_template_fails", folder=folder, reason=str(error)) from error


def _content(token: object) -> str:
    """A special token's text; older files keep it in an object."""
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")
