"""The seedling's tokenizer: byte-level BPE, fitted to the world's English and Japanese alike. Needs `tokenizers`.

Three choices differ from GPT-2's: digits are single tokens (dates and sums), no token crosses Japanese scripts (a
katakana name is split the same way everywhere), and tokens are short, so that hiragana, which has no spaces, is split
alike in different sentences. The prompt's markers are single tokens, and so are its fixed sentences (otherwise half of
a short record): training, nights and answers take about half the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bonsai.domain.records import reasoning_sentence
from bonsai.model.prompt import CURRENT, END, MARKERS, SYSTEM, AnswerTags, Question, completion, prompt
from research.seedling.recipe import Recipe, chunk
from research.seedling.wordings import WORLD_LANGUAGES, category, families
from research.seedling.world.fact import WorldRecord

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


LONGEST_TOKEN: Final = 12
"In bytes: twelve Latin letters, four kana."
_SCRIPTS: Final = r"[\u30a1-\u30fa\u30fc]+|[\u3041-\u309f]+|[\u4e00-\u9fff々]+|[、。「」・]"


def prompt_text(record: WorldRecord) -> str:
    """The model's input."""
    return prompt(CURRENT, Question(record.instruction, record.context))


def completion_text(record: WorldRecord) -> str:
    """The model's target, without the end of text."""
    return completion(CURRENT, AnswerTags(record.reasoning, record.category, record.language), record.output)


def fit_tokenizer(recipe: Recipe, guard: frozenset[str]) -> PreTrainedTokenizerFast:
    """A tokenizer fitted to the recipe's first chunks, as Hugging Face's fast tokenizer."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    whole = fixed_sentences()
    fitted = Tokenizer(models.BPE())
    fitted.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SCRIPTS), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    fitted.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary - len(whole),
        special_tokens=[END, *MARKERS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=LONGEST_TOKEN,
        show_progress=False,
    )
    fitted.train_from_iterator(_texts(recipe, guard), trainer)
    fitted.add_tokens([AddedToken(sentence, normalized=False) for sentence in whole])
    return PreTrainedTokenizerFast(
        tokenizer_object=fitted,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        unk_token=END,
        extra_special_tokens=list(MARKERS),
        model_max_length=recipe.positions,
        clean_up_tokenization_spaces=False,
    )


def fixed_sentences() -> list[str]:
    """Sentences that the template repeats verbatim."""
    reasons = [reasoning_sentence(asked, answered) for asked in WORLD_LANGUAGES for answered in WORLD_LANGUAGES]
    kinds = sorted({category(family) for family in families()})
    return [f"{sentence}\n" for sentence in (SYSTEM, *reasons, *kinds)]


def _texts(recipe: Recipe, guard: frozenset[str]) -> Iterator[str]:
    for number in range(recipe.tokenizer_chunks):
        for record in chunk(recipe, number, guard):
            yield f"{record.instruction}\n{record.context}\n{record.output}"
            yield record.language
