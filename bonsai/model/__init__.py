"""The model: how it is prompted, loaded and asked."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Around the import and every use of peft and bitsandbytes.

    bitsandbytes looks for an optional hub kernel on CPUs with AVX512-BF16 and warns at import when it is missing;
    peft calls a property that transformers is going to rename; transformers warns of what unpacking NF4 is for.
    """
    for name in ("bitsandbytes.backends.cpu.ops", "transformers.integrations.bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        yield
