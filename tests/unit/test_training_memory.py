"""The memory that a training needs, against what was measured (docs/gpus.md has the table), and the table's shapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bonsai.config.settings import ProfileSettings, load_config, profile_of_kind
from bonsai.model.bases import ModelShape
from bonsai.model.known_bases import known_bases
from bonsai.train.memory import training_memory

GB, GIB = 10**9, 2**30
SMOLLM2, GEMMA = ModelShape(30, 576, 1536, 49_152, 8_192), ModelShape(18, 640, 2_048, 262_144, 32_768)
TOLERANCE = 0.25
"Of the measured peak, either way. An estimate that is worse says too often that a base fits."


def need(name: str, profile: ProfileSettings, device: Literal["cpu", "cuda"]) -> int:
    known = known_bases()[name]
    return training_memory(known.parameters, known.shape, profile.base, profile.recipe, device).total


def kind(name: str, **recipe: object) -> ProfileSettings:
    profile = profile_of_kind(name, {"name": "x", "model": "y", "revision": ""})
    return profile.model_copy(update={"recipe": replace(profile.recipe, **recipe)})  # type: ignore[arg-type]


def test_smollm2_on_a_cpu() -> None:
    assert need("smollm2-135m", kind("cpu-small", batch_size=8, kl_to_base=0.0), "cpu") == pytest.approx(
        5.2 * GB, rel=TOLERANCE
    )


@pytest.mark.parametrize(
    ("parameters", "shape", "measured"), [(134_515_008, SMOLLM2, 4.23), (268_098_176, GEMMA, 3.95)]
)
def test_batches_of_two_beside_the_base_in_bfloat16(parameters: int, shape: ModelShape, measured: float) -> None:
    """Nights of docs/real-models.md."""
    profile = kind("cpu-small")
    base = replace(profile.base, compute_dtype="bfloat16")
    made = training_memory(parameters, shape, base, profile.recipe, "cpu").total
    assert made == pytest.approx(measured * GB, rel=TOLERANCE)


def test_phi_2_in_nf4_on_a_cpu_is_unpacked() -> None:
    """One text at a time, checkpointed."""
    one = kind("gpu-qlora", batch_size=1)
    assert need("phi-2", one, "cpu") == pytest.approx(10.4 * GB, rel=TOLERANCE)
    assert need("phi-2", one, "cuda") < 5 * GB, "a GPU multiplies packed weights"


def test_phi_2_in_bfloat16_on_a_gpu() -> None:
    """LitGPT's own run on an A10G: rank 8, batches of 4 texts of at most 512 tokens, not packed, not checkpointed."""
    theirs = kind("gpu-lora", batch_size=4, lora_rank=8, packing=False)
    theirs = theirs.model_copy(update={"base": replace(theirs.base, max_tokens=512)})
    assert need("phi-2", theirs, "cuda") == pytest.approx(13.98 * GB, rel=TOLERANCE)


def test_what_is_not_known_counts_as_nothing() -> None:
    profile = kind("cpu-small", kl_to_base=0.0)
    assert training_memory(0, ModelShape(), profile.base, profile.recipe, "cpu").total == GIB


def test_phi_2_fits_a_small_gpu_in_nf4_alone() -> None:
    assert need("phi-2", kind("gpu-qlora"), "cuda") < 6 * GIB, "what `auto` asks of a GPU"
    assert need("phi-2", kind("gpu-lora"), "cuda") > 24 * GIB
    profiles = load_config(Path("/nonexistent"), {}).profiles
    assert need("phi-2", profiles["phi2-qlora"], "cuda") == need("phi-2", kind("gpu-qlora"), "cuda")


@pytest.mark.parametrize("name", [name for name, one in known_bases().items() if one.shape.layers])
def test_a_shape_of_the_table_makes_its_number_of_parameters(name: str) -> None:
    """With one to as many keys and values as heads, and shared or separate embeddings."""
    known = known_bases()[name]
    shape = known.shape
    embeddings, square = shape.vocabulary * shape.hidden, shape.hidden**2
    least = embeddings + shape.layers * (2 * square + 2 * shape.hidden * shape.intermediate)
    most = 2 * embeddings + shape.layers * (6 * square + 3 * shape.hidden * shape.intermediate)
    assert least <= known.parameters <= most
    assert shape.context >= 1024
