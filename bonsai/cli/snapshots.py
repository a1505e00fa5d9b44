"""`bonsai snapshots`: preview of what a night would train on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.records import on_one_line, short
from bonsai.cli.shell import AsJson, Shell, shell_of

if TYPE_CHECKING:
    from rich.text import Text

    from bonsai.queries.snapshot_preview import Preflight
    from bonsai.train.preview import Part, Piece, Preview


app = noun()

MARKS: dict[Part, str] = {"given": "-", "declared": "+", "answer": "+", "end": "$"}
"Margin marks, also for terminals without colours: masked, learned, end."
STYLES: dict[Part, str] = {"given": "dim", "declared": "cyan", "answer": "green", "end": "bold reverse"}
BORDER = "·"
UNPRINTABLE = {"\n": "⏎", "\t": "⇥", "\N{IDEOGRAPHIC SPACE}": "□"}
_MARGIN = 4


@app.callback()
def snapshots() -> None:
    """Makes the app a group: with a single command, typer would drop the verb."""


@verb(app, "cli.snapshots_preview")
def preview(
    ctx: typer.Context,
    records: Annotated[list[str] | None, typer.Argument(help="cli.arg_preview", metavar="ID")] = None,
    as_json: AsJson = False,
) -> None:
    """Tokens, loss mask and end of some records; tokens per language; records that are too long."""
    from bonsai.queries.snapshot_preview import preview_records

    shell = shell_of(ctx)
    found = preview_records(shell.open(), records or ())
    if as_json:
        from bonsai.serializers.snapshots import snapshot_preview

        shell.json(snapshot_preview(found))
    else:
        _tell(shell, found)


def _tell(shell: Shell, found: Preflight) -> None:
    shell.say("snapshots.preview_head", profile=found.profile, template=found.template, limit=found.limit)
    shell.say("snapshots.preview_legend", masked=MARKS["given"], learned=MARKS["answer"], end=MARKS["end"])
    shell.say("snapshots.preview_borders")
    for one in found.previews:
        _tell_one(shell, one)
    shell.line("")
    shell.say("snapshots.preview_costs", records=found.records, longest=found.longest)
    rows = ((cost.language, cost.texts, cost.characters, cost.tokens, cost.tokens_a_character) for cost in found.costs)
    shell.table(("language", "texts", "characters", "tokens", "tokens_a_character"), rows, right=(1, 2, 3, 4))
    shell.line("")
    if not found.too_long:
        shell.say("snapshots.preview_none_too_long", limit=found.limit)
        return
    shell.say("snapshots.preview_too_long", count=len(found.too_long), limit=found.limit)
    listed = ((short(one.record_id), one.tokens, on_one_line(one.instruction)) for one in found.too_long)
    shell.table(("id", "tokens", "instruction"), listed, right=(1,), clipped=(2,))


def _tell_one(shell: Shell, one: Preview) -> None:
    shell.line("")
    shell.say(
        "snapshots.preview_long" if one.too_long else "snapshots.preview_one",
        id=short(one.record_id),
        language=one.language,
        category=one.category,
        tokens=one.tokens(),
        learned=one.tokens("declared", "answer", "end"),
        limit=one.limit,
    )
    console = shell.console()
    for line in token_lines(one.pieces, console.width):
        console.print(line, soft_wrap=True)


def token_lines(pieces: tuple[Piece, ...], width: int) -> list[Text]:
    """Tokens with borders; lines break where the text or the part does, and at `width`."""
    from rich.cells import cell_len
    from rich.text import Text

    lines: list[Text] = []
    open_part: Part | None = None
    for piece in pieces:
        said = shown_token(piece)
        if open_part != piece.part or lines[-1].cell_len + cell_len(said) + 1 > width:
            lines.append(Text(f"  {MARKS[piece.part]} "))
        elif lines[-1].cell_len > _MARGIN:
            lines[-1].append(BORDER, style="dim")
        lines[-1].append(said, style=STYLES[piece.part])
        open_part = None if piece.text.endswith("\n") else piece.part
    return lines


def shown_token(piece: Piece) -> str:
    """A token on one line, with visible line ends and the number of tokens of a split character."""
    said = "".join(one if one.isprintable() else UNPRINTABLE.get(one, "?") for one in piece.text)
    return said if piece.tokens == 1 else f"{said}×{piece.tokens}"
