"""Maps the elements of known file shapes to record fields.

    Alpaca       instruction, input, output          https://github.com/tatsu-lab/stanford_alpaca#data-release
    Dolly        instruction, context, response, category
    questions    question, answer (the cat stories)
    chat         messages [{role, content}] or conversations [{from, value}] (ShareGPT)

One table of names serves the first three, so mixed forms (question, context, output) are taken too. A chat becomes
one set of fields for each answered turn of its user, with the turns before as the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

NAMES_OF_FIELD: dict[str, tuple[str, ...]] = {
    "instruction": ("instruction", "question", "prompt", "質問"),
    "input": ("input", "context", "passage", "文脈"),
    "output": ("output", "response", "answer", "completion", "回答"),
    "language": ("language", "lang", "言語"),
    "category": ("category", "分類"),
    "reasoning": ("reasoning",),
    "subject": ("subject", "cat", "対象"),
    "happened_on": ("happened_on", "date", "日付"),
    "feeling": ("feeling", "気持ち"),
    "source": ("source",),
    "source_name": ("source_name",),
    "author": ("author",),
    "fact": ("fact",),
}
"Earlier names win where an element holds several."
FIELD_OF_NAME = {name: field for field, names in NAMES_OF_FIELD.items() for name in names}

CHATS = ("messages", "conversations")
_USERS = frozenset(("user", "human", "prompter"))
_ASSISTANTS = frozenset(("assistant", "gpt", "bot", "model", "chatgpt"))
_ROLE_NAMES = {"user": "User", "assistant": "Assistant", "system": "System"}

Fields = dict[str, object]


class ShapeError(Exception):
    """No known shape. Never leaves `readers`: it becomes a reject."""

    def __init__(self, reason_key: str, /, **values: object) -> None:
        super().__init__(reason_key)
        self.reason_key = reason_key
        self.values = values


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a chat."""

    role: str
    "user, assistant or another role, e.g. system."
    text: str


def fields_of(value: object) -> list[Fields]:
    """The fields of one element: one set, or one for each answered turn of a chat. Raises ShapeError."""
    if not isinstance(value, Mapping):
        raise ShapeError("readers.no_object", kind=type(value).__name__)
    fields = _named(value)
    chat = next((value[name] for name in CHATS if value.get(name) is not None), None)
    if chat is not None and "instruction" not in fields:
        return [{**fields, **answered} for answered in _answered_turns(_turns(chat))]
    if "instruction" not in fields or "output" not in fields:
        raise ShapeError("readers.no_shape", keys=", ".join(map(str, value)) or "-")
    return [fields]


def _named(value: Mapping[object, object]) -> Fields:
    """Known fields under their own names; of several names for one field the first that is filled."""
    lowered = {str(name).strip().lower(): content for name, content in value.items()}
    fields: Fields = {}
    for field, names in NAMES_OF_FIELD.items():
        present = [lowered[name] for name in names if name in lowered]
        if present:
            fields[field] = next((content for content in present if content not in (None, "")), present[0])
    return fields


def _turns(chat: object) -> list[Turn]:
    """The messages; several in a row by one role are one turn."""
    if not isinstance(chat, Sequence) or isinstance(chat, str):
        raise ShapeError("readers.no_chat", kind=type(chat).__name__)
    turns: list[Turn] = []
    for message in chat:
        if not isinstance(message, Mapping):
            raise ShapeError("readers.no_chat", kind=type(message).__name__)
        name = str(message.get("role") or message.get("from") or "").strip().lower()
        role = "user" if name in _USERS else "assistant" if name in _ASSISTANTS else name
        text = _content(message.get("content") if "content" in message else message.get("value"))
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, f"{turns[-1].text}\n{text}")
        else:
            turns.append(Turn(role, text))
    return turns


def _content(content: object) -> str:
    """A text, or the texts of a list of parts (`[{"type": "text", "text": ...}]`)."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def _answered_turns(turns: list[Turn]) -> Iterator[Fields]:
    pairs = [i for i in range(1, len(turns)) if (turns[i - 1].role, turns[i].role) == ("user", "assistant")]
    if not pairs:
        raise ShapeError("readers.no_answered_turn", turns=len(turns))
    for i in pairs:
        before = "\n".join(f"{_ROLE_NAMES.get(turn.role, turn.role)}: {turn.text}" for turn in turns[: i - 1])
        yield {"instruction": turns[i - 1].text, "input": before, "output": turns[i].text}
