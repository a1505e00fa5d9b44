"""Heavy, and stands alone: asks an exported form with transformers and peft, as anybody would; knows nothing of Bonsai.

    python -I ask_exported.py JOB.json

The job names the folder, the base's folder (for peft), types, device, batch and the questions as chat messages. Prompts
in token ids, answers and versions go to the file `answers` of the job; progress goes to stdout as JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    StoppingCriteria,
    StoppingCriteriaList,
)


class _EachToken(StoppingCriteria):  # type: ignore[misc]
    """Stops nothing; shows that an answer grows."""

    def __init__(self, done: int, total: int) -> None:
        self._event = json.dumps({"type": "progress", "done": done, "total": total})

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_kwargs: object) -> torch.Tensor:
        print(self._event, flush=True)  # noqa: T201
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def load(job: dict[str, Any]) -> Any:
    """The exported model as its card says to open it."""
    dtype = getattr(torch, job["dtype"])
    if not job["base"]:
        return AutoModelForCausalLM.from_pretrained(job["folder"], dtype=dtype, device_map={"": job["device"]}).eval()
    from peft import PeftModel

    quantised = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_use_double_quant=job["double_quantisation"],
    )
    base = AutoModelForCausalLM.from_pretrained(
        job["base"],
        dtype=dtype,
        quantization_config=quantised if job["nf4"] else None,
        device_map={"": job["device"]},
    )
    if job["nf4"] and job["device"] == "cpu":
        base = base.dequantize()
    return PeftModel.from_pretrained(base, job["folder"]).eval()


def ask(job: dict[str, Any], model: Any, tokenizer: Any) -> tuple[list[list[int]], list[str]]:
    """Prompts and greedy answers, special tokens included up to the one that ends an answer."""
    prompts = [
        tokenizer.apply_chat_template([message], add_generation_prompt=True, return_dict=False)
        for message in job["messages"]
    ]
    greedy = GenerationConfig.from_pretrained(job["folder"])
    ends, pad = greedy.eos_token_id, greedy.pad_token_id
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), prompts[i]))
    answers = [""] * len(prompts)
    for start in range(0, len(order), job["batch"]):
        batch = order[start : start + job["batch"]]
        width = max(len(prompts[i]) for i in batch)
        rows = [[pad] * (width - len(prompts[i])) + prompts[i] for i in batch]
        mask = [[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch]
        with torch.inference_mode():
            made = model.generate(
                input_ids=torch.tensor(rows, device=job["device"]),
                attention_mask=torch.tensor(mask, device=job["device"]),
                generation_config=greedy,
                stopping_criteria=StoppingCriteriaList([_EachToken(start, len(prompts))]),
            )
        for i, row in zip(batch, made.tolist(), strict=True):
            said = row[width:]
            end = next((place for place, token in enumerate(said) if token in ends), len(said))
            answers[i] = tokenizer.decode(said[:end], skip_special_tokens=False)
    return prompts, answers


def _end_with_parent() -> None:
    """End when the standard input, a pipe from the parent, closes."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Run the job."""
    _end_with_parent()
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    tokenizer = AutoTokenizer.from_pretrained(job["folder"])
    prompts, answers = ask(job, load(job), tokenizer)
    versions = {name: metadata.version(name) for name in ("torch", "transformers", "peft", "tokenizers")}
    made = {"prompts": prompts, "answers": answers, "versions": versions}
    Path(job["answers"]).write_text(json.dumps(made), "utf-8")


if __name__ == "__main__":
    main()
