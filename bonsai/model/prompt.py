"""The prompt templates of training, evaluation and inference.

The current template is `tagged`: the model first says in which language and which kind of answer it
will give, then answers, so it knows which language it speaks:

    <|system|>You are Bonsai.
    <|instruction|>日本で一番高い山は?
    <|context|>...                                    (only when there is a context)
    <|reasoning|>The question is in Japanese; answer in Japanese.      <- the completion begins here
    <|category|>open_qa
    <|language|>ja
    <|response|>富士山です。<|endoftext|>

Prompt and completion are tokenised apart, so no loss mask ever has to search for a marker. The older
templates `alpaca` and `reasoning` stay for experiments; the `native` one is the base's own (`bonsai.model.native`).
Marker-like text in a user's field is neutralised: it can neither end a field nor open one.

The idea (reasoning, category and language beside every record) is the seed project's; the plain
Alpaca form is https://github.com/tatsu-lab/stanford_alpaca.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from bonsai.errors import TrainingError

TemplateName = Literal["tagged", "reasoning", "alpaca", "native"]
NATIVE: Final = "native"
SYSTEM = "You are Bonsai."
END = "<|endoftext|>"
_FIELDS = ("system", "instruction", "context", "reasoning", "category", "language", "response")
MARKERS = tuple(f"<|{name}|>" for name in _FIELDS)

_MARKER_LIKE = re.compile(r"<(?=\s*\|)|(?<=\|)>")
_FIELD = re.compile(r"<\|(reasoning|category|language|response)\|>")
_SHORT_DECLARATION = re.compile(r"\s*\[(ja|en|zh|other)\]\s")
_LEAKED = re.compile(r"<\||\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]")
_HARMLESS = {"<": "‹", "[": "［"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    instruction: str
    context: str = ""
    "A passage, dated experiences, or nothing."
    answered_in: str = ""
    "Expected language of the answer, where it is known: ja or en. Sets its token budget; no model sees it."


@dataclass(frozen=True, slots=True)
class AnswerTags:
    """What the model declares before it answers."""

    reasoning: str
    "One English sentence that names the answer's language."
    category: str
    language: str
    "The answer's language: ja, en, zh or other."


@dataclass(frozen=True, slots=True)
class ParsedCompletion:
    """A generated completion, taken apart."""

    tags: AnswerTags
    "Empty strings for what the model did not declare."
    response: str
    leaked_markers: bool
    "The response itself contains text in the form of a marker."


@dataclass(frozen=True, slots=True)
class Template:
    """One version of the prompt. Its `digest` stands in every manifest."""

    name: TemplateName
    preamble: str
    declares: tuple[str, ...]
    "Which tags the completion begins with, in order."
    around: tuple[str, str] = ("", "")
    "Of a native template: what stands before and after a question."
    turn_end: str = ""
    "Of a native template: the token that ends the base's turn; empty where it has none."
    reserved: tuple[str, ...] = ()
    "Of a native template: the spellings of the base's special tokens, which no field may hold."

    @property
    def digest(self) -> str:
        """SHA-256 over what the template makes of fixed fields: any change of form changes it."""
        question = Question("i\nj", "c")
        tags = AnswerTags("r", "open_qa", "ja")
        made = prompt(self, question) + "\0" + prompt(self, Question("i")) + "\0" + completion(self, tags, "o")
        return hashlib.sha256(made.encode()).hexdigest()


TEMPLATES: dict[TemplateName, Template] = {
    "tagged": Template("tagged", SYSTEM, ("reasoning", "category", "language")),
    "reasoning": Template("reasoning", SYSTEM, ("reasoning",)),
    "alpaca": Template(
        "alpaca",
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
        (),
    ),
}
CURRENT = TEMPLATES["tagged"]


def template(name: str, digest: str | None = None) -> Template:
    """The template of a manifest. Raises TrainingError when it is unknown or was altered since."""
    found = TEMPLATES.get(name)  # type: ignore[call-overload]
    if found is None:
        raise TrainingError("errors.template_unknown", name=name, known=", ".join([*TEMPLATES, NATIVE]))
    return unaltered(found, digest)


def unaltered(found: Template, digest: str | None) -> Template:
    """The template, if it has this digest. Raises TrainingError when it was altered since."""
    if digest is not None and digest != found.digest:
        raise TrainingError("errors.template_altered", name=found.name)
    return found


def neutralise(field: str) -> str:
    """Make marker-like text harmless: `<|end|>` becomes `‹|end|›`. Leaves every other text as it is."""
    return _MARKER_LIKE.sub(lambda hit: "‹" if hit[0] == "<" else "›", field)


def harmless(template: Template, field: str) -> str:
    """`neutralise`, and no special token of the base is spelled any more either: `</s>` becomes `‹/s>`."""
    made = neutralise(field)
    for token in template.reserved:
        if token in made and not token.isspace():
            made = made.replace(token, _HARMLESS.get(token[0], token[0] + "\u200b") + token[1:])
    return made


def prompt(template: Template, question: Question) -> str:
    """The prompt of a question."""
    if template.name == NATIVE:
        asked = "\n\n".join(filter(None, (question.instruction, question.context)))
        return harmless(template, asked).join(template.around)
    lines = [f"<|system|>{template.preamble}", f"<|instruction|>{neutralise(question.instruction)}"]
    if question.context:
        lines.append(f"<|context|>{neutralise(question.context)}")
    return "\n".join(lines) + "\n"


def declaration(template: Template, tags: AnswerTags) -> str:
    """The head of the completion: the declared tags up to the response marker (used to force tags)."""
    if template.name == NATIVE:
        return f"{' ' if template.around[1].endswith(':') else ''}[{tags.language}] "
    fields = {"reasoning": tags.reasoning, "category": tags.category, "language": tags.language}
    head = "".join(f"<|{name}|>{neutralise(fields[name])}\n" for name in template.declares)
    return f"{head}<|response|>"


def completion(template: Template, tags: AnswerTags, response: str) -> str:
    """The target completion, without the end-of-text token (the tokeniser's id is appended as an id)."""
    return declaration(template, tags) + harmless(template, response)


def leaks_markers(response: str) -> bool:
    """Whether an answer itself contains text in the form of a marker."""
    return _LEAKED.search(response) is not None


def parse(completion_text: str) -> ParsedCompletion:
    """Parse a generated completion; accepts any text. Without any declaration, all of it is the answer."""
    head, marker, response = completion_text.partition("<|response|>")
    if not marker and not _FIELD.search(completion_text):
        short = _SHORT_DECLARATION.match(completion_text)
        response = completion_text[short.end() :] if short else completion_text
        head = f"<|language|>{short[1]}" if short else ""
    elif not marker:
        head, response = completion_text, ""
    pieces = _FIELD.split(head)
    declared = dict(zip(pieces[1::2], (value.strip() for value in pieces[2::2]), strict=False))
    tags = AnswerTags(declared.get("reasoning", ""), declared.get("category", ""), declared.get("language", ""))
    response = response.removesuffix(END)
    return ParsedCompletion(tags, response.strip(), leaked_markers=leaks_markers(response))
