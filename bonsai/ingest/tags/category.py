"""Which kind of answer a record gives: clear rules first, then a learned tagger, else `uncategorised`.

The tagger is a logistic regression over TF-IDF weighted character n-grams (they serve Japanese, which has no spaces,
and English alike), hashed, so that it has no vocabulary: its whole state is four arrays. It learns from records whose
category a person or a file gave. Calibrated support vector machines were surer of themselves on new topics, wrongly.

Held-out accuracy and coverage: `python benchmarks/intake_stages.py --quality`.
"""

from __future__ import annotations

import hashlib
import io
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
from bonsai.ingest.tags.category_rules import VERSION as RULES_VERSION
from bonsai.ingest.tags.category_rules import by_rule
from bonsai.system.files import write_atomic

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


FORMAT = 1
FEATURES = 1 << 16
LENGTHS = (2, 3, 4)
QUESTION_CHARACTERS = 160
ANSWER_CHARACTERS = 60
BATCH = 2_048


@dataclass(frozen=True, slots=True)
class Example:
    """What the tagger learns from and is asked about."""

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
    nothing = Tag(Category.UNCATEGORISED.value, "rule", 0.0, RULES_VERSION)
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
