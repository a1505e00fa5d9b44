"""Duration of a night's heavy parts on the bundled samples: training, then the selection pool, as a table.

python benchmarks/training.py           # about 3 minutes on two free cores
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.snapshot_of import snapshot_of
from bonsai.config.settings import Config, load_config
from bonsai.domain.snapshots import Snapshot
from bonsai.evaluate import questions
from bonsai.evaluate.evaluation import BASE, EvaluatedModel, EvaluationRun, ProcessEvaluator, fixed_question_set
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import AdapterFolder, TrainingProgress, make_plan
from bonsai.train.trainer import ProcessTrainer
from research.samples.rows import sample_rows

TRAINING_LIMIT_SECONDS = 90
POOL_LIMIT_SECONDS = 30
MEMORY_LIMIT_GIB = 3.0


def first_night(config: Config, folder: Path) -> Snapshot:
    """Snapshot of the demo's first night."""
    passes, settings = config.profiles["seedling"].recipe.epochs, config.training
    return snapshot_of(
        config, sample_rows(), folder, datetime.now(UTC),
        seed=settings.seed, passes=passes, validation_share=settings.validation_share,
    )  # fmt: skip


def train(config: Config, snapshot: Snapshot, folder: Path, speed: list[float]) -> tuple[AdapterFolder, float]:
    """The adapter, and wall-clock seconds of the process; `speed` collects tokens per second so far, by step."""
    profile = config.profiles["seedling"]
    plan = make_plan(
        "seedling",
        profile.base,
        profile.recipe,
        snapshot,
        device="cpu",
        threads=config.training.threads,
        seed=config.training.seed,
        run_folder=folder / "run",
        adapters_folder=folder / "adapters",
        created_at=datetime.now(UTC),
    )

    def show(progress: TrainingProgress) -> None:
        speed.append(progress.tokens_per_second)
        print(f"\rstep {progress.step}/{progress.steps}  loss {progress.loss:.3f}", end="", file=sys.stderr)

    began = time.perf_counter()
    made = ProcessTrainer(nice=0).train(plan, show)
    print(file=sys.stderr)
    return made, time.perf_counter() - began


def evaluate(config: Config, adapter: AdapterFolder, folder: Path) -> tuple[dict[str, float], float]:
    """Seconds by subject on the selection pool, and the wall-clock seconds of the process."""
    profile = config.profiles["seedling"]
    evaluation_run = EvaluationRun(
        base=profile.base,
        device="cpu",
        template=profile.recipe.template,
        subjects=(EvaluatedModel(BASE), EvaluatedModel(adapter.id, str(adapter.path))),
        question_sets=(fixed_question_set(questions.set_name("selection")),),
        settings=config.benchmark,
        reports_folder=str(folder / "reports"),
        created_at=datetime.now(UTC).isoformat(),
    )
    began = time.perf_counter()
    made = ProcessEvaluator(nice=0).evaluate(evaluation_run, lambda done, total: None)
    return {one.subject: one.report.seconds for one in made}, time.perf_counter() - began


def main() -> int:
    """Print the table; 1 if a limit is exceeded."""
    config = load_config(Path("/nonexistent"), {})
    with TemporaryDirectory() as name:
        folder = Path(name)
        snapshot = first_night(config, folder / "snapshots")
        speed: list[float] = []
        adapter, training = train(config, snapshot, folder, speed)
        measured = read_manifest(adapter.path).measured
        pools, evaluation_seconds = evaluate(config, adapter, folder)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    rows = [
        ("rows (own and anchors)", f"{len(snapshot.train)}", ""),
        ("steps", f"{measured['steps']:.0f}", ""),
        ("training, seconds", f"{measured['seconds']:.1f}", f"{TRAINING_LIMIT_SECONDS}"),
        ("training with its process, seconds", f"{training:.1f}", ""),
        ("training, tokens/s", f"{speed[-1]:.0f}", ""),
        ("selection pool of the base, seconds", f"{pools[BASE]:.1f}", f"{POOL_LIMIT_SECONDS}"),
        ("selection pool of the adapter, seconds", f"{pools[adapter.id]:.1f}", f"{POOL_LIMIT_SECONDS}"),
        ("both with their process, seconds", f"{evaluation_seconds:.1f}", ""),
        ("largest process, GiB", f"{memory:.2f}", f"{MEMORY_LIMIT_GIB}"),
    ]
    print(f"{'':<42}{'measured':>10}{'limit':>8}")
    for what, found, limit in rows:
        print(f"{what:<42}{found:>10}{limit:>8}")
    late = measured["seconds"] > TRAINING_LIMIT_SECONDS or max(pools.values()) > POOL_LIMIT_SECONDS
    return int(late or memory > MEMORY_LIMIT_GIB)


if __name__ == "__main__":
    sys.exit(main())
