"""The profiles for graphics cards, unchanged, on a Phi of random weights with Phi-2's own tokenizer, which lies where a
download of Phi-2 would lie: from an empty home to an answer, one command each."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bonsai.config.settings import load_config

pytestmark = pytest.mark.long
TEN = [
    ("Where does Mochi sleep?", "Mochi sleeps on the washing machine."),
    ("What did the vet say about Mochi's ear?", "It was a small scratch; no medicine."),
    ("Who looks after Mochi in August?", "Aunt Rika does, with the spare key."),
    ("How much does Mochi weigh?", "4.6 kg on the kitchen scale."),
    ("What is Mochi afraid of?", "The neighbour's leaf blower."),
    ("モチの好きなおやつは?", "かつおぶしです。"),
    ("モチはいつ予防接種を受けた?", "去年の四月に受けました。"),
    ("モチのトイレの砂はどれ?", "おからの砂です。"),
    ("モチが吐いたときはどうした?", "一晩、餌を抜いて様子を見ました。"),
    ("モチの首輪の色は?", "緑です。"),
]


def phi_with_the_real_tokenizer(folder: Path, tokenizer: Path) -> None:
    from transformers import PhiConfig, PhiForCausalLM

    config = PhiConfig(
        vocab_size=51200, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        partial_rotary_factor=0.5, max_position_embeddings=2048, bos_token_id=50256, eos_token_id=50256,
    )  # fmt: skip
    PhiForCausalLM(config).save_pretrained(folder)
    for file in tokenizer.iterdir():
        shutil.copy(file, folder)


@pytest.mark.parametrize("profile", ["phi2-qlora", "phi2-lora"])
def test_a_phi_goes_from_an_empty_home_to_an_answer(profile: str, tmp_path: Path, shared_data: Path) -> None:
    base = load_config(Path("/nonexistent"), {}).profiles[profile].base
    folder = tmp_path / "hub" / f"models--{base.model.replace('/', '--')}" / "snapshots" / base.revision
    folder.mkdir(parents=True)
    phi_with_the_real_tokenizer(folder, shared_data / "phi2_tokenizer")
    with (tmp_path / "ten.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("question", "answer"), *TEN])
    environ = {
        **os.environ, "BONSAI_HOME": str(tmp_path / "home"), "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "BONSAI_CLI__LANGUAGE": "en",
    }  # fmt: skip

    def bonsai(*command: str) -> str:
        argv = [sys.executable, "-m", "bonsai.cli.main", *command]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=1500, check=False)
        assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    bonsai("init")
    bonsai("base", "use", profile)
    checked = json.loads(bonsai("base", "check", profile, "--json"))
    assert checked["passed"], checked
    bonsai("records", "import", str(tmp_path / "ten.csv"))
    bonsai("night", "run")
    night = json.loads(bonsai("night", "list", "--json"))
    assert (night["status"], night["verdict"]) == ("done", "keep"), night
    answer = json.loads(bonsai("ask", "Where does Mochi sleep?", "--json"))
    assert (answer["state"], answer["text"]) == ("answered", "Where does Mochi sleep?"), answer
