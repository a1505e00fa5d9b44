"""The seedling's recipe: settings, text, and the hash that ties the weights to both.

The text comes in chunks. `chunk(recipe, number, guard)` is a pure function of seed and number, so a build resumes
anywhere without replay. A chunk holds known facts (each in a trained paraphrase) and a few invented households. Their
facts occur in several paraphrases and never again in later chunks: the model learns to recognise a fact that is asked
in other words.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import random
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from bonsai.model.prompt import CURRENT
from bonsai.system.files import sha256_json
from research.seedling import world
from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage
from research.seedling.world.fact import Fact, WorldRecord

HASHED_FILES = (
    "recipe.py", "pretraining.py", "tokenizer.py", "wordings.py", "world/__init__.py", "world/fact.py",
    "world/everyday.py", "world/general.py", "world/given.py", "world/wordings.toml", "world/everyday.toml",
    "world/general.toml", "world/lexicon.toml", "world/phrases.toml",
)  # fmt: skip
"Files that shape the weights; a change to any of them requires a new build."


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings. The defaults made the shipped weights."""

    seed: int = 7
    steps: int = 3600
    tokens_per_batch: int = 4096
    "With padding."
    known_per_chunk: int = 1600
    households_per_chunk: int = 4
    household_wordings: int = 4
    "Paraphrases per language of each fact of an invented household."
    vocabulary: int = 3072
    tokenizer_chunks: int = 6
    "Chunks that the tokenizer is fitted to, both languages alike."
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    inner: int = 768
    positions: int = 1024
    matrix_learning_rate: float = 0.02
    "Peak, for the matrices in the blocks (Muon)."
    learning_rate: float = 2e-3
    "Peak, for everything else (AdamW)."
    weight_decay: float = 0.05
    warmup_steps: int = 100
    decay_share: float = 0.4
    "Final share of the steps, in which the learning rate falls to zero (warm-up, stable, decay)."
    gradient_norm: float = 1.0


@cache
def recipe_hash(recipe: Recipe) -> str:
    """SHA-256 over the settings, the prompt template, the data files and the code of the recipe.

    Imports and docstrings of the code do not count: moving a file requires no new build.
    """
    files = {}
    for name in HASHED_FILES:
        content = resources.files("research.seedling").joinpath(name).read_text("utf-8")
        files[name] = _code(content) if name.endswith(".py") else content
    return sha256_json({"settings": dataclasses.asdict(recipe), "files": files, "template": CURRENT.digest})


def _code(source: str) -> str:
    """The lines of a module without imports, docstrings and blank lines."""
    idle = {
        number
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and _is_idle(node)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = enumerate(source.splitlines(), 1)
    return "\n".join(line.rstrip() for number, line in lines if number not in idle and line.strip())


def _is_idle(node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom)


def normalised(text: str) -> str:
    """NFKC, casefolded, letters and digits only: the identity of a question."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())


def guard_of(benchmark: Path) -> frozenset[str]:
    """The normalised questions, with their contexts, of a benchmark's `*.jsonl`, which the text must not contain."""
    questions = set()
    for path in sorted(benchmark.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            item = json.loads(line)
            given = item.get("context") or item.get("input") or ""
            questions.add(normalised(str(item.get("instruction") or item.get("question") or "") + str(given)))
    return frozenset(questions - {""})


def default_guard() -> frozenset[str]:
    """The guard of the bundled benchmark."""
    return guard_of(Path(str(resources.files("bonsai.evaluate"))) / "v1")


def chunk(recipe: Recipe, number: int, guard: frozenset[str]) -> list[WorldRecord]:
    """The records of chunk `number`, shuffled, without those that the benchmark asks."""
    chance = random.Random(f"{recipe.seed}/chunk/{number}")
    records = _known(recipe, number, chance)
    for _ in range(recipe.households_per_chunk):
        records += _household(recipe, chance)
    chance.shuffle(records)
    return [record for record in records if normalised(record.instruction + record.context) not in guard]


def _known(recipe: Recipe, number: int, chance: random.Random) -> list[WorldRecord]:
    """The chunk's share of an endless walk over all known facts, reshuffled every round."""
    pairs = _known_pairs()
    made = []
    for position in range(number * recipe.known_per_chunk, (number + 1) * recipe.known_per_chunk):
        round_, place = divmod(position, len(pairs))
        fact, language = pairs[_order(recipe.seed, round_)[place]]
        made.append(world.asked(fact, language, chance.choice(fact.trained[language]), chance))
    return made


@cache
def _known_pairs() -> list[tuple[Fact, WorldLanguage]]:
    return [(fact, language) for fact in world.facts() for language in WORLD_LANGUAGES]


@cache
def _order(seed: int, round_: int) -> list[int]:
    count = len(_known_pairs())
    return random.Random(f"{seed}/round/{round_}").sample(range(count), count)


def _household(recipe: Recipe, chance: random.Random) -> list[WorldRecord]:
    """Every fact of one invented household in several paraphrases; a passage is used once in each language."""
    made = []
    for fact in world.practice(chance):
        for language in WORLD_LANGUAGES:
            times = 1 if fact.context[language] else recipe.household_wordings
            among = [*fact.trained[language], *fact.held_out[language]]
            made += [world.asked(fact, language, wording, chance) for wording in chance.sample(among, times)]
    return made
