"""Heavy: a training that starts from another adapter: the parent's LoRA weights take the place of the fresh ones.

Call it after trl has made its trainer: on a 4-bit base trl rounds what is there to bfloat16. The optimiser starts
anew, as in any night; the schedule warms up to `warm_learning_rate` again (`bonsai.training.continual`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file

from bonsai.errors import IntegrityError, TrainingError
from bonsai.training.passport import read_passport
from bonsai.training.plan import TrainingPlan


def load_parent(model: Any, plan: TrainingPlan) -> None:
    """Give the model the weights of `plan.parent`.

    Raises IntegrityError when the parent was altered or is not whole, TrainingError when its weights are not those of
    this model's adapter, one for one.
    """
    folder = Path(plan.adapters_folder) / plan.parent
    if read_passport(folder).adapter_id != plan.parent:
        raise IntegrityError("training.adapter_altered", folder=folder, file="passport.json")
    weights = load_file(folder / "adapter_model.safetensors")
    fresh = get_peft_model_state_dict(model)
    if {name: tuple(one.shape) for name, one in weights.items()} != {
        name: tuple(one.shape) for name, one in fresh.items()
    }:
        raise TrainingError("training.other_parent", parent=plan.parent)
    set_peft_model_state_dict(model, weights)
    loaded = get_peft_model_state_dict(model)
    if not all(torch.equal(loaded[name].cpu(), one.to(loaded[name].dtype)) for name, one in weights.items()):
        raise TrainingError("training.other_parent", parent=plan.parent)
