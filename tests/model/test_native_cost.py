"""What the native template costs on Phi-2's tokenizer, beside `tagged`."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import fmean

import pytest

from bonsai.model.encoding import IGNORED, load_encoder
from bonsai.model.native import template_of
from bonsai.model.prompt import NATIVE
from research.samples.rows import sample_rows

TOKENIZER = Path(__file__).parents[3] / "shared" / "data" / "phi2_tokenizer"
COSTS = {
    ("tagged", "en"): (87, 51), ("tagged", "ja"): (122, 68), (NATIVE, "en"): (39, 17), (NATIVE, "ja"): (74, 35),
}  # fmt: skip
"As docs/architecture.md says: (all tokens, learned ones) of a bundled sample on average."


@pytest.mark.skipif(not TOKENIZER.is_dir(), reason=f"Phi-2's tokenizer is not at {TOKENIZER}")
def test_phi2_reads_half_as_many_tokens(tmp_path: Path) -> None:
    for file in TOKENIZER.iterdir():
        shutil.copy(file, tmp_path / file.name)
    (tmp_path / "config.json").write_text('{"model_type": "phi"}')
    encoder = load_encoder(tmp_path)
    rows = sample_rows("experience.jsonl")
    for (name, language), (every, learned) in COSTS.items():
        form = template_of(tmp_path, name)
        made = [encoder.example(form, one) for one in rows if one.language == language]
        assert round(fmean(len(one.input_ids) for one in made)) == every
        assert round(fmean(sum(label != IGNORED for label in one.labels) for one in made)) == learned
