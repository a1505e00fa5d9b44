"""Rules that tell a category from the wording alone, in English and Japanese.

Only rules that are nearly always right stand here; the rest is left to the learned tagger. The order matters: a
request for a translation is one whatever else it says, and an answer that only asks back is `question_to_question`
whatever was asked.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bonsai.domain.records import Category, Record, Tag
from bonsai.errors import IntegrityError
from bonsai.ingest.dedup.ngrams import ngrams, remix
from bonsai.system.files import write_atomic

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


VERSION = "category-rules-1"
CONFIDENCE = 0.9
MAX_CHARACTERS = 300
"Characters of a question; what is asked is at its beginning or its end."
PASSAGE_CHARACTERS = 60
"From this length on, an input is a passage to answer from and not an operand."

_I = re.IGNORECASE
_LANGUAGE = "(?:japanese|english|chinese|french|german|spanish|italian|korean|latin|russian|portuguese)"
_TRANSLATION = re.compile(
    rf"\btranslate (?:this|the|these|that|to|into|from|it|\W)|\btranslate\b.*\b(?:in|to|into) {_LANGUAGE}"
    r"|\btranslation (?:of|for)\b"
    rf"|\bhow (?:do|would|can) (?:you|i|we) (?:say|write|put)\b.*\bin {_LANGUAGE}"
    rf"|\b(?:what is|what's|say|write|put)\b.{{1,60}}\bin {_LANGUAGE}\b|\b{_LANGUAGE} (?:word|phrase|for)\b.*\bfor\b"
    rf"|\b(?:put|turn|change|convert|render)\b.*\b(?:into|to) {_LANGUAGE}\b"
    "|翻訳|[英和]訳|訳して|訳すと|」の訳|[日英]本?語(?:で|に)(?:何と|なんと|どう|言|いう|いえば|書|直|して|訳|すると)"
    "|[日英]本?語では(?:何|なん|どう)",
    _I,
)
_CLASSIFICATION = re.compile(
    r"^\W*(?:please )?(?:classify|categori[sz]e|sort|group)\b"
    r"|\b(?:classify|categori[sz]e) (?:each|the|these|this|them)\b"
    r"|^\W*(?:identify|tell me|say|state|decide|determine) (?:which|whether|if)\b.*(?:\bor\b|:)"
    r"|^\W*which (?:of (?:these|the following|the two)|one)\b"
    r"|^\W*(?:is|are) [^.?]{1,60} (?:a|an) [^.?,]{1,30},? or (?:a|an) [^.?]{1,30}\?"
    r"|分類|仕分け|どちらに(?:入|属|当)|(?:どの|どんな)(?:グループ|種類|カテゴリー?)に(?:入|属|当)|のどれ(?:に|です)|どれに(?:入|属|当)",
    _I,
)
_BRAINSTORMING = re.compile(
    r"\bbrainstorm|\b(?:ideas?|suggestions) (?:for|of|on|to|about|that)\b"
    r"|^\W*(?:come up with|think of|suggest|give me|give|list|name|propose|offer)\b.{0,30}"
    r"\b(?:ideas|suggestions|ways to|names for)\b"
    r"|^\W*what are (?:some|a few) (?:good |fun |creative |cheap )?(?:ideas|ways|things)\b"
    r"|アイデ[アィ]|案を|思いつ|ブレインストーミング|(?:方法|工夫|名前|遊び|おもちゃ|理由|もの|こと)を(?:\d|[一二三四五六七八九十三])+(?:つ|個)"
    r"|(?:\d|[二三四五六七八九十])+(?:つ|個)[^。？?]{0,8}(?:挙げ|あげて|教えて|考えて|出して|提案)",
    _I,
)
_WORKS = (
    "(?:poem|haiku|story|tale|limerick|song|verse|rhyme|lullaby|sonnet|dialogue|dialog|monologue|script|speech|essay"
    "|letter|email|e-mail|toast|tweet|slogan|caption|diary entry|line of poetry|one-liner|joke|fairy tale|ad)"
)
_CREATIVE = re.compile(
    rf"\b(?:write|compose|make up|create|invent|tell)\b.{{0,50}}\b{_WORKS}s?\b|^\W*(?:imagine|pretend) (?:you|that|a)\b"
    rf"|\b(?:a|one) (?:short )?(?:poem|haiku|limerick|lullaby) (?:about|on|for)\b"
    r"|俳句|川柳|短歌|(?:詩|物語|小説|童話|歌詞|手紙|日記|キャッチコピー|作文|一行|ひとこと|台詞|セリフ)を(?:\S{0,8})?(?:書|作|詠|考え|お願い)"
    r"|一句|詠んで",
    _I,
)
_ASKED_FOR_QUESTIONS = re.compile(
    r"\bquestions?\b|\brewrite|\bparaphras|\brephras|\bconvert|\bcorrect|\bedit\b|\bform\b|\bsentence|\briddle|\bjoke"
    r"|質問(?:を|文)|問題|疑問文|書き換え|言い換え|クイズ|なぞなぞ",
    _I,
)
_ASKS = re.compile(
    r"[?？]|(?:何|なに|誰|だれ|いつ|どこ|どの|どれ|なぜ|どう|いくつ|いくら)[^。]{0,40}(?:か|は)。?$"
    r"|^\W*(?:what|who|whom|whose|when|where|which|why|how)\b",
    _I,
)
_FROM_PASSAGE = re.compile(
    r"\b(?:passage|paragraph|text|article|context|reference|summar|extract|according to|based on|given)\b"
    r"|要約|抜き出|文章|本文|によると|記録から",
    _I,
)


def by_rule(record: Record) -> Tag | None:
    """The category, if a rule decides it."""
    found = _category(record)
    return Tag(found.value, "rule", CONFIDENCE, VERSION) if found else None


def _category(record: Record) -> Category | None:
    asked = record.instruction
    if len(asked) > 2 * MAX_CHARACTERS:
        asked = f"{asked[:MAX_CHARACTERS]}\n{asked[-MAX_CHARACTERS:]}"
    if _TRANSLATION.search(asked):
        return Category.TRANSLATION
    if _only_asks_back(record.output) and not _ASKED_FOR_QUESTIONS.search(asked):
        return Category.QUESTION_TO_QUESTION
    if _CLASSIFICATION.search(asked):
        return Category.CLASSIFICATION
    if not record.input:
        if _CREATIVE.search(asked):
            return Category.CREATIVE
        return Category.BRAINSTORMING if _BRAINSTORMING.search(asked) else None
    if len(record.input) >= PASSAGE_CHARACTERS and (_ASKS.search(asked) or _FROM_PASSAGE.search(asked)):
        return Category.CLOSED_QA
    return None


def _only_asks_back(answer: str) -> bool:
    """One question and nothing after it, at most a sentence before it."""
    if len(answer) > 200 or "\n" in answer:
        return False
    if not (answer.endswith(("?", "？")) or re.search(r"(?:です|ます|ました|でしょう|ません)か。$", answer)):
        return False
    return len(re.findall(r"[.。!！?？]+(?:\s|$|(?<=[。！？?]))", answer)) <= 2


FORMAT = 1
FEATURES = 1 << 16
LENGTHS = (2, 3, 4)
QUESTION_CHARACTERS = 160
ANSWER_CHARACTERS = 60
BATCH = 2_048


@dataclass(frozen=True, slots=True)
class Example:
    """Input of the tagger."""

    instruction: str
    has_input: bool
    output: str

    @classmethod
    def of(cls, record: Record) -> Example:
        """The parts of a record that tell its category."""
        return cls(record.instruction, bool(record.input), record.output)


@dataclass(frozen=True, slots=True)
class CategoryTagger:
    """A fitted tagger. Fitting the same examples in the same order gives the same tagger."""

    classes: tuple[str, ...]
    idf: NDArray[np.float32]
    "(FEATURES,)"
    weights: NDArray[np.float32]
    "(FEATURES, classes)"
    bias: NDArray[np.float32]
    "(classes,)"
    version: str
    "`learned-` and the first 8 hex digits of the SHA-256 of the arrays."

    @classmethod
    def fit(cls, examples: Sequence[Example], categories: Sequence[Category]) -> CategoryTagger:
        """Learn from examples of at least two categories. 400 examples take a second, 6,000 some five."""
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        counts = _counts(examples)
        seen_in = np.bincount(counts.indices, minlength=FEATURES)
        idf = (np.log((1 + len(examples)) / (1 + seen_in)) + 1).astype(np.float32)
        model = LogisticRegression(C=10, max_iter=200, tol=1e-3)
        with threadpool_limits(1):  # one thread: the same sums in the same order everywhere, and faster on few cores
            model.fit(_weighted(counts, idf), [category.value for category in categories])
        weights = np.asarray(model.coef_.T, dtype=np.float32)
        bias = np.asarray(model.intercept_, dtype=np.float32)
        if len(model.classes_) == 2:  # sklearn keeps one column for two classes
            weights, bias = np.hstack([-weights / 2, weights / 2]), np.hstack([-bias / 2, bias / 2])
        return cls._of(tuple(map(str, model.classes_)), idf, np.ascontiguousarray(weights), bias)

    @classmethod
    def _of(
        cls,
        classes: tuple[str, ...],
        idf: NDArray[np.float32],
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> CategoryTagger:
        digest = hashlib.sha256(b"".join((repr(classes).encode(), idf.tobytes(), weights.tobytes(), bias.tobytes())))
        return cls(classes, idf, weights, bias, f"learned-{digest.hexdigest()[:8]}")

    def probabilities(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """(examples, classes)"""
        made = [np.zeros((0, len(self.classes)), dtype=np.float32)]
        for start in range(0, len(examples), BATCH):
            scores = _weighted(_counts(examples[start : start + BATCH]), self.idf) @ self.weights + self.bias
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            made.append(scores / scores.sum(axis=1, keepdims=True))
        return np.concatenate(made)

    def ranked(self, record: Record) -> list[str]:
        """All categories, the likeliest for this record first."""
        [row] = self.probabilities([Example.of(record)])
        return [self.classes[number] for number in np.argsort(-row, kind="stable")]

    def predict_batch(self, examples: Sequence[Example], threshold: float) -> list[Tag]:
        """The likeliest category of each example; `uncategorised` where its probability is below `threshold`."""
        tags = []
        for row in self.probabilities(examples):
            best = int(row.argmax())
            sure = float(row[best])
            value = self.classes[best] if sure >= threshold else Category.UNCATEGORISED.value
            tags.append(Tag(value, "learned", round(sure, 4), self.version))
        return tags

    def save(self, path: Path) -> None:
        """Write the arrays as one `.npz` file, atomically."""
        buffer = io.BytesIO()
        classes = np.array(self.classes)
        np.savez(buffer, format=FORMAT, classes=classes, idf=self.idf, weights=self.weights, bias=self.bias)
        write_atomic(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> CategoryTagger:
        """Read what `save` wrote; nothing in it can be executed. Raises IntegrityError when it is not such a file."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                fits = int(file["format"]) == FORMAT and file["weights"].shape == (FEATURES, len(file["classes"]))
                made = cls._of(tuple(map(str, file["classes"])), file["idf"], file["weights"], file["bias"])
        except (ValueError, KeyError, OSError, EOFError, BadZipFile):
            raise IntegrityError("tags.tagger_unreadable", path=path) from None
        if not fits:
            raise IntegrityError("tags.tagger_unreadable", path=path)
        return made


def tag_categories(records: Sequence[Record], tagger: CategoryTagger | None, threshold: float) -> list[Tag]:
    """An automatic category for each record: by rule, else learned, else `uncategorised`."""
    tags: list[Tag | None] = [by_rule(record) for record in records]
    open_ones = [i for i, tag in enumerate(tags) if tag is None]
    if tagger is not None and open_ones:
        learned = tagger.predict_batch([Example.of(records[i]) for i in open_ones], threshold)
        for i, tag in zip(open_ones, learned, strict=True):
            tags[i] = tag
    nothing = Tag(Category.UNCATEGORISED.value, "rule", 0.0, VERSION)
    return [tag or nothing for tag in tags]


def _counts(examples: Sequence[Example]) -> csr_matrix:
    """How often each hashed n-gram occurs in the question and in the answer's beginning. (examples, FEATURES)"""
    from scipy.sparse import csr_matrix

    questions = [_question(example) for example in examples]
    answers = [f"\2{example.output[:ANSWER_CHARACTERS].lower()}" for example in examples]
    rows, columns = [], []
    for part, texts in enumerate((questions, answers)):
        for length in LENGTHS:
            found = ngrams(texts, length)
            rows.append(found.rows)
            columns.append(remix(found.hashes, 10 * part + length) % np.uint64(FEATURES))
    row, column = np.concatenate(rows), np.concatenate(columns).astype(np.int64)
    return csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=(len(examples), FEATURES))


def _question(example: Example) -> str:
    """The question's beginning between marks that n-grams can see: where it starts, and whether a passage follows."""
    end = "\3\3\3" if example.has_input else "\4\4\4"
    return f"\2{example.instruction[:QUESTION_CHARACTERS].lower()}{end}"


def _weighted(counts: csr_matrix, idf: NDArray[np.float32]) -> csr_matrix:
    """Sublinear TF times IDF, rows of length 1. Does not change `counts`."""
    made = counts.copy()
    made.data = (1 + np.log(made.data)) * idf[made.indices]
    norms = np.sqrt(np.asarray(made.multiply(made).sum(axis=1)).ravel())
    made.data /= np.repeat(np.maximum(norms, 1e-9), np.diff(made.indptr)).astype(np.float32)
    return made
