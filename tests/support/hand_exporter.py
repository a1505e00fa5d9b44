"""An `Exporter` that asks no model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bonsai.evaluate.export import Certificate, ExportJob


class HandExporter:
    """Writes the card and the files that it is given; fails as it is told after half of that."""

    def __init__(self, error: Exception | None = None, **files: bytes) -> None:
        self.error, self.files = error, files
        self.job: ExportJob | None = None

    def export(self, job: ExportJob, log: Path, on_progress: Callable[[int, int], None]) -> Certificate:
        self.job = job
        (Path(job.folder) / "README.md").write_text(job.card)
        for name, content in self.files.items():
            (Path(job.folder) / name).write_bytes(content)
        (Path(job.work) / "answers.json").write_text("{}")
        on_progress(1, 2)
        if self.error:
            raise self.error
        return Certificate(
            job.adapter, job.form, "peft", job.question_set, 200, 0, 0.995, 180, 0.5, 0.5, 0.02, 0.5, "cpu", {},
            job.created_at,
        )  # fmt: skip
