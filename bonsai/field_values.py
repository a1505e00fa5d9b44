"""How other people's files name languages and categories."""

from __future__ import annotations

from typing import Literal

LANGUAGE_NAMES: dict[str, Literal["ja", "en", "zh", "other"]] = {
    **dict.fromkeys(("ja", "jp", "jpn", "ja-jp", "japanese", "日本語"), "ja"),
    **dict.fromkeys(("en", "eng", "en-us", "en-gb", "english", "英語"), "en"),
    **dict.fromkeys(("zh", "cn", "zho", "zh-cn", "zh-tw", "zh-hans", "zh-hant", "chinese", "中国語", "中文"), "zh"),
    **dict.fromkeys(
        "other ar cs da de el es fi fr he hi hu id it ko nl no pl pt ro ru sv th tr uk vi".split(), "other"
    ),
}
"How files name the answer's language. Languages that are not told apart are `other`."

CATEGORY_NAMES: dict[str, str] = {
    **{name: name for name in "open_qa closed_qa classification translation brainstorming creative".split()},
    "question_to_question": "question_to_question",
    "uncategorised": "",
    "uncategorized": "",
    # Dolly's eight (https://huggingface.co/datasets/databricks/databricks-dolly-15k). Dolly divides questions by how
    # hard the answer is to find; here only the reader of the answer counts: one right answer from general knowledge
    # is open_qa; one that rests on the given passage is closed_qa, and so are a summary and what is drawn out of it.
    "general_qa": "open_qa",
    "information_extraction": "closed_qa",
    "summarization": "closed_qa",
    "summarisation": "closed_qa",
    "creative_writing": "creative",
}
"How files name the category; empty: to be tagged."
