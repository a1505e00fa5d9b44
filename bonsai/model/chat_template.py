"""A prompt template in the words of other programs: a chat template (Jinja), and a Modelfile's (Go).

    chat_template(form, encoder)        # text of chat_template.jinja: apply_chat_template makes Bonsai's prompt

A chat holds more than Bonsai asks: the last message of the user is the question, its key `context` the passage, and
everything before it is left out, as no adapter has learned from conversations.
"""

from __future__ import annotations

from bonsai.model.encoding import Encoder
from bonsai.model.prompt import NATIVE, Question, Template, harmless, neutralise, prompt

_NEUTRALISE = """\
{%- macro neutralised(text) -%}
{%- set made = namespace(text='') -%}
{%- for piece in text.split('<') -%}
{%- set mark = '' if loop.first else ('‹' if piece.lstrip().startswith('|') else '<') -%}
{%- set made.text = made.text ~ mark ~ piece -%}
{%- endfor -%}
{{- made.text.replace('|>', '|›') -}}
{%- endmacro -%}
{%- set asked = messages | selectattr('role', 'equalto', 'user') | list | last -%}
"""
"""`bonsai.model.prompt.neutralise` without regular expressions: `<` before a bar, spaces between them or not."""
_OWN = """\
{{- %s ~ neutralised(asked.content) ~ "\\n" -}}
{%%- if asked.context -%%}
{{- "<|context|>" ~ neutralised(asked.context) ~ "\\n" -}}
{%%- endif -%%}
"""
_OF_THE_BASE = """\
{%%- set fields = [asked.content, asked.context] | select | list -%%}
{%%- set made = namespace(text=neutralised(fields | join("\\n\\n"))) -%%}
{%%- for token, harmless in [%s] -%%}
{%%- set made.text = made.text.replace(token, harmless) -%%}
{%%- endfor -%%}
{{- %s ~ made.text ~ %s -}}
"""


def chat_template(form: Template, encoder: Encoder) -> str:
    """Jinja text that makes of a user's message what Bonsai makes of a question, the tokens before every text included.

    Its ids are Bonsai's where special tokens are read in a prompt, as `apply_chat_template` reads them.
    """
    start = _start(form, encoder)
    if form.name != NATIVE:
        before = f"{start}<|system|>{form.preamble}\n<|instruction|>"
        return _NEUTRALISE + _OWN % _literal(before)
    pairs = ", ".join(f"({_literal(token)}, {_literal(made)})" for token, made in _reserved(form))
    before, after = form.around
    return _NEUTRALISE + _OF_THE_BASE % (pairs, _literal(start + before), _literal(after))


def go_template(form: Template) -> str:
    """The same for a Modelfile's TEMPLATE. It cannot make marker-like text harmless, and llama.cpp puts BOS itself."""
    return prompt(form, Question("\ue000")).replace("\ue000", "{{ .Prompt }}")


def _start(form: Template, encoder: Encoder) -> str:
    """What `Encoder.question` puts before the prompt, as text; empty where the prompt spells it already."""
    spelled = encoder.ids(prompt(form, Question("a")))[: len(encoder.start)] == encoder.start
    return "" if spelled else encoder.text(encoder.start)


def _reserved(form: Template) -> list[tuple[str, str]]:
    """Special tokens that a field could spell, with what `harmless` makes of each; the others are neutral already."""
    alone = [
        (token, harmless(Template(NATIVE, "", (), reserved=(token,)), token))
        for token in form.reserved
        if token and neutralise(token) == token
    ]
    return [(token, made) for token, made in alone if made != token]


def _literal(text: str) -> str:
    """A string of Jinja's; line ends are escaped, because Jinja reads all of them as a line feed."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escapes.get(one, one) for one in text) + '"'
