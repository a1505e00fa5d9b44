"""Exported forms of a tiny adapter: opened by plain transformers and peft, asked again, refused where they differ."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from recipes import SMALL
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from bonsai.domain import snapshots
from bonsai.domain.records import reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.errors import InputError, IntegrityError, NoRoom, TerminalError, UsageError
from bonsai.evaluate import export_worker
from bonsai.evaluate.export import Certificate, ExportJob, Form, ProcessExporter
from bonsai.evaluate.questions import Item, set_name
from bonsai.model.bases import Base
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.model.prompt import Question
from bonsai.train import ask_exported, exporting
from bonsai.train.adapters import load, open_answerer
from bonsai.train.plan import AdapterFolder, make_plan
from bonsai.train.qlora import train

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
BLOCKED = "import sys; sys.modules['bonsai'] = None\n"
"Whatever imports bonsai after this fails."
ASK = """
import json
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
folder, base, questions = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
if base:
    from peft import PeftModel
    from transformers import BitsAndBytesConfig
    nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",
                             bnb_4bit_compute_dtype=torch.float32, bnb_4bit_use_double_quant=True)
    base = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, quantization_config=nf4).dequantize()
    model = PeftModel.from_pretrained(base, folder)
else:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(folder)
limits = GenerationConfig.from_pretrained(folder)
said = []
for question in questions:
    asked = tokenizer.apply_chat_template([{"role": "user", "content": question}], return_tensors="pt",
                                          return_dict=True)
    made = model.generate(**asked, generation_config=limits)[0, asked.input_ids.shape[1]:].tolist()
    said.append(tokenizer.decode(made).removesuffix(tokenizer.eos_token))
print(json.dumps(said))
"""


def item(number: int, instruction: str, output: str, language: str) -> Item:
    name = f"{language}{number}"
    said = output.rstrip("。").split(" ")[-1]
    return Item(
        name, "selection", name, "cat_care", "open_qa", language, language, instruction, "", output, (said,)
    )  # fmt: skip


CATS = [("Mike", "ミケ"), ("Kuro", "クロ"), ("Sora", "ソラ")] * 2
ROOMS = [("kitchen", "台所")] * 3 + [("hall", "廊下")] * 3
ITEMS = tuple(
    one
    for number, ((name, yomi), (room, heya)) in enumerate(zip(CATS, ROOMS, strict=True))
    for one in (
        item(number, f"Where does {name} sleep ({number})?", f"{name} sleeps in the {room}.", "en"),
        item(number, f"{yomi}はどこで寝ますか({number})?", f"{yomi}は{heya}で寝ます。", "ja"),
    )
)
"""The records that the tiny adapter learned, as questions."""


def train_cats(base: Base, template_name: str, folder: Path) -> AdapterFolder:
    """An adapter that was trained for long enough to say other things to other questions."""
    (folder / "run").mkdir(parents=True)
    encoder, form = load_encoder(Path(base.model)), template_of(Path(base.model), template_name)
    rows = [
        Example(
            one.id,
            "own",
            one.instruction,
            "",
            reasoning_sentence(one.language, one.language),
            one.category,
            one.language,
            one.reference,
        )
        for one in ITEMS
    ]
    built = snapshots.build(
        rows, [], seed=1, validation_share=0.0, anchor_share=0.0,
        count_tokens=lambda row: encoder.tokens(form, row), max_tokens=base.max_tokens,
    )  # fmt: skip
    modules = ("q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2")
    recipe = replace(
        SMALL, template=template_name, target_modules=modules, learning_rate=1e-2, accumulate=1, epochs=100,
        lora_rank=16, lora_alpha=32.0,
    )  # fmt: skip
    plan = make_plan(
        "tiny", base, recipe, snapshots.write(built, folder / "snapshot", NOW), device="cpu", threads=1, seed=7,
        run_folder=folder / "run", adapters_folder=folder / "adapters", created_at=NOW,
    )  # fmt: skip
    return train(plan, lambda _progress: None)


@pytest.fixture(scope="module")
def trained(tiny_base: Base, tmp_path_factory: pytest.TempPathFactory) -> AdapterFolder:
    """On the tiny base in NF4, under Bonsai's own template."""
    return train_cats(tiny_base, "tagged", tmp_path_factory.mktemp("trained"))


@pytest.fixture
def make_job(trained: AdapterFolder, tiny_base: Base, tmp_path: Path) -> Callable[[Form], ExportJob]:
    """Jobs for that adapter."""
    base = replace(tiny_base, answer_tokens_ja=64)

    def job(form: Form) -> ExportJob:
        folder, work = tmp_path / "out" / form / "made", tmp_path / "work" / form
        for one in (folder, work):
            one.mkdir(parents=True)
        return ExportJob(
            form=form, adapter=trained.id, adapter_folder=str(trained.path), base=base, hub_id="", device="cpu",
            threads=1,
            question_set=set_name("selection"), items=ITEMS, card="# A card\n", licence='The "owner".',
            private=(str(trained.path), tiny_base.model, str(tmp_path)), converter="", folder=str(folder),
            work=str(work), created_at="2026-11-30T08:00:00+00:00",
        )  # fmt: skip

    return job


def quietly(_begin: int, _end: int) -> export_worker.Tell:
    return lambda _share: None


def asked_elsewhere(job: ExportJob, questions: list[str]) -> list[str]:
    """Answers of the exported folder to a program that cannot import bonsai."""
    base = job.base.model if job.form == "peft" else ""
    command = [sys.executable, "-I", "-c", BLOCKED + ASK, job.folder, base, json.dumps(questions)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.long
def test_a_base_with_its_own_chat_form_and_start_token(
    make_job: Callable[[Form], ExportJob], tiny_base: Base, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_base.model, tmp_path / "base")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    start = [("<|system|>", tokenizer.token_to_id("<|system|>"))]  # any token that stands before every text
    tokenizer.post_processor = TemplateProcessing(single="<|system|> $A", special_tokens=start)
    tokenizer.save(str(folder / "tokenizer.json"))
    chat = "{% for m in messages %}<|instruction|>{{ m.content }}<|category|>{% endfor %}"
    (folder / "chat_template.jinja").write_text(chat)
    base = replace(tiny_base, model=str(folder), quantisation="none", answer_tokens_ja=64)
    made = train_cats(base, "native", tmp_path / "trained")
    job = replace(make_job("merged"), base=base, adapter=made.id, adapter_folder=str(made.path))

    found = export_worker.export(job, quietly)

    assert (found.equal, found.right_after) == (1.0, found.right_before)
    assert found.right_after > 0
    generation = json.loads((Path(job.folder) / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [tokenizer.token_to_id("<|category|>"), 0]


def check_files(job: ExportJob, tmp_path: Path) -> None:
    """The files that are expected, none of which names a path of this machine."""
    files = {file.name: file.read_bytes() for file in Path(job.folder).iterdir()}
    weights = {"adapter_model.safetensors", "adapter_config.json"}
    weights = weights if job.form == "peft" else {"model.safetensors", "config.json"}
    prompt = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"}
    assert set(files) == {*weights, *prompt, "README.md", "certificate.json"}
    for path in (str(tmp_path), job.base.model, str(Path.cwd()), str(Path.home())):
        assert not [name for name, content in files.items() if path.encode() in content]
    if job.form == "peft":
        config = json.loads(files["adapter_config.json"])
        assert (config["base_model_name_or_path"], config["revision"]) == ("tiny", None)


@pytest.mark.parametrize("form", ["peft", "merged"])
def test_a_form_answers_as_the_adapter_does_and_names_no_path(
    make_job: Callable[[Form], ExportJob], form: Form, tmp_path: Path
) -> None:
    job = make_job(form)

    made = export_worker.export(job, quietly)

    assert (made.asked_as, made.questions, made.equal) == (form, len(ITEMS), 1.0)
    assert made.right_before == made.right_after
    written = json.loads((Path(job.folder) / "certificate.json").read_text())
    assert (written["adapter"], written["versions"]["peft"] != "") == (job.adapter, True)
    questions = [one.instruction for one in ITEMS[:6]]
    answerer = open_answerer(load(job.base, "cpu"), Path(job.adapter_folder))
    budget = exporting.answer_budget(job.base)
    through_bonsai = [answerer.answers([Question(one)], [None], budget)[0].text for one in questions]
    assert len(set(through_bonsai)) > 2
    assert asked_elsewhere(job, questions) == through_bonsai
    generation = json.loads((Path(job.folder) / "generation_config.json").read_text())
    assert (generation["eos_token_id"], generation["max_new_tokens"]) == ([0], 64)
    check_files(job, tmp_path)


def test_a_base_of_the_hub_is_named_with_its_commit(make_job: Callable[[Form], ExportJob], tiny_base: Base) -> None:
    job = make_job("peft")
    base = replace(tiny_base, revision="ef38" * 10)
    exporting.write_peft(Path(job.adapter_folder), base, "cats/tiny", Path(job.folder))
    config = json.loads((Path(job.folder) / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("cats/tiny", "ef38" * 10)


def test_a_path_in_the_card_is_refused(make_job: Callable[[Form], ExportJob]) -> None:
    job = make_job("peft")
    with pytest.raises(IntegrityError) as refused:
        export_worker.export(replace(job, card=f"made from {job.adapter_folder}"), quietly)
    assert (refused.value.key, refused.value.values["files"]) == ("export.names_a_path", "README.md")


def perturb(folder: Path, name: str) -> None:
    weights = load_file(folder / name)
    torch.manual_seed(1)
    save_file({key: one + torch.randn_like(one) for key, one in weights.items()}, folder / name, {"format": "pt"})


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("peft", "adapter_model.safetensors"),
        pytest.param("merged", "model.safetensors", marks=pytest.mark.long),
    ],
)
def test_other_weights_are_refused(
    make_job: Callable[[Form], ExportJob], monkeypatch: pytest.MonkeyPatch, form: Form, name: str
) -> None:
    job, write = make_job(form), export_worker.write_form

    def broken(job: ExportJob, folder: Path) -> None:
        write(job, folder)
        perturb(folder, name)

    monkeypatch.setattr(export_worker, "write_form", broken)
    with pytest.raises(IntegrityError) as refused:
        export_worker.export(job, quietly)
    assert refused.value.key == "export.answers_differ"
    assert not (Path(job.folder) / "certificate.json").exists()


def test_another_prompt_is_refused(make_job: Callable[[Form], ExportJob], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "chat_template", lambda form, encoder: "{{ messages[-1].content }}")
    with pytest.raises(IntegrityError) as refused:
        export_worker.export(make_job("peft"), quietly)
    assert (refused.value.key, refused.value.values["count"]) == ("export.other_prompts", len(ITEMS))


def test_what_does_not_open_is_refused(make_job: Callable[[Form], ExportJob], monkeypatch: pytest.MonkeyPatch) -> None:
    job, write = make_job("peft"), export_worker.write_form

    def broken(job: ExportJob, folder: Path) -> None:
        write(job, folder)
        (folder / "tokenizer.json").write_text("{")

    monkeypatch.setattr(export_worker, "write_form", broken)
    with pytest.raises(IntegrityError) as refused:
        export_worker.export(job, quietly)
    assert refused.value.key == "export.does_not_open"


@pytest.mark.parametrize(("right", "refused"), [(0.02, False), (0.04, True)])
def test_right_answers_may_fall_by_the_margin(
    make_job: Callable[[Form], ExportJob], right: float, refused: bool
) -> None:
    items = tuple(replace(ITEMS[0], id=str(number)) for number in range(100))
    good = export_worker.Generated(ITEMS[0].reference, True, 3)
    wrong = round(100 * right)
    after = {"prompts": [], "answers": ["no idea"] * wrong + [good.text] * (100 - wrong), "versions": {}}
    before = export_worker.Answered(items, [], [good] * 100, 4)
    job = make_job("peft")
    if not refused:
        made = export_worker.certified(job, before, after)
        assert (made.right_before, made.right_after, made.gradable) == (1.0, 0.98, 100)
        return
    with pytest.raises(IntegrityError, match=r"right answers 100.0 % before and 96.0 % after"):
        export_worker.certified(job, before, after)


def test_who_asks_again_knows_nothing_of_bonsai() -> None:
    imports = re.findall(r"^\s*(?:from|import) (\w+)", Path(ask_exported.__file__).read_text(), re.MULTILINE)
    assert (
        {"torch", "transformers", "peft"} <= set(imports) <= {*sys.stdlib_module_names, "torch", "transformers", "peft"}
    )


def test_closed_pools_are_never_asked(make_job: Callable[[Form], ExportJob], tmp_path: Path) -> None:
    for pool in ("confirmation", "score"):
        file = tmp_path / "job.json"
        file.write_text(json.dumps(export_worker.to_values(replace(make_job("peft"), question_set=set_name(pool)))))
        with pytest.raises(UsageError):
            export_worker.work(file, lambda _event: None)
        shutil.rmtree(tmp_path / "out")
        shutil.rmtree(tmp_path / "work")


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_told(
    make_job: Callable[[Form], ExportJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    def full(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(exporting, "write_peft", full)
    file = tmp_path / "job.json"
    file.write_text(json.dumps(export_worker.to_values(make_job("peft"))))
    with pytest.raises(NoRoom, match=f"The disk of {tmp_path / 'out'} is full"):
        export_worker.work(file, lambda _event: None)


def test_the_worker_tells_its_progress_and_leaves_out_what_has_no_room(
    make_job: Callable[[Form], ExportJob], tmp_path: Path
) -> None:
    long = replace(ITEMS[0], id="long", instruction="cat " * 300)
    job, seen = make_job("peft"), [(0, 0)]
    job = replace(job, items=(*ITEMS[:2], long))
    made = ProcessExporter(nice=0).export(job, tmp_path / "log.txt", lambda done, total: seen.append((done, total)))
    assert isinstance(made, Certificate)
    assert (made.questions, made.left_out) == (2, 1)
    assert seen[-1] == (100, 100)
    assert seen == sorted(seen)
    with pytest.raises(InputError):
        export_worker.asked_through_bonsai(replace(job, items=(long,)), lambda _share: None)


def fake_converter(tmp_path: Path, program: str) -> str:
    file = tmp_path / "convert_hf_to_gguf.py"
    file.write_text(program)
    return str(file)


WRITES = """
import pathlib, sys
assert sorted(one.name for one in pathlib.Path(sys.argv[1]).iterdir()).count("model.safetensors") == 1
pathlib.Path(sys.argv[sys.argv.index("--outfile") + 1]).write_text("GGUF " + sys.argv[sys.argv.index("--outtype") + 1])
"""


def test_ollama_gets_a_gguf_and_a_modelfile(make_job: Callable[[Form], ExportJob], tmp_path: Path) -> None:
    job = replace(make_job("ollama"), converter=fake_converter(tmp_path, WRITES))
    made = export_worker.export(job, quietly)
    folder = Path(job.folder)
    assert (made.form, made.asked_as, made.equal) == ("ollama", "merged", 1.0)
    assert {one.name for one in folder.iterdir()} == {"model.gguf", "Modelfile", "README.md", "certificate.json"}
    assert (folder / "model.gguf").read_text() == "GGUF f32"
    assert (folder / "Modelfile").read_text() == (
        'FROM ./model.gguf\nTEMPLATE """<|system|>You are Bonsai.\n<|instruction|>{{ .Prompt }}\n"""\n'
        'PARAMETER stop "<|endoftext|>"\nPARAMETER num_predict 64\nPARAMETER temperature 0\n'
        'LICENSE """The "owner"."""\n'
    )


def test_a_converter_that_fails_is_told_in_its_words(make_job: Callable[[Form], ExportJob], tmp_path: Path) -> None:
    job = replace(make_job("gguf"), converter=fake_converter(tmp_path, "raise SystemExit('no such architecture')"))
    with pytest.raises(TerminalError, match="no such architecture"):
        export_worker.write_gguf(job, tmp_path, Path(job.folder))
