"""Size and repetition of the package: `python benchmarks/code_size.py [--before REVISION]`.

Counts over the tracked Python files of `bonsai/`, `storage/` and `flows/`: files, lines, functions by length,
re-exported names, class names that more than two modules use, and the shapes in which
one record leaves the program (its keys in `--json` and in the API, from the golden files).
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PACKAGE = ("bonsai", "storage", "flows")
GOLDEN = Path("tests") / "golden" / "expected"


def main() -> None:
    """Print one column for this checkout, and one for another revision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", help="another revision, such as a tag or a hash")
    before = parser.parse_args().before
    columns = {"now": figures(sources(None))}
    if before:
        columns = {before[:12]: figures(sources(before)), **columns}
    print(f"{'':44}" + "".join(f"{name:>14}" for name in columns))
    for row in columns["now"]:
        print(f"{row:44}" + "".join(f"{column[row]:>14}" for column in columns.values()))
    print(f"{'shapes of a record that leaves the program':44}{record_shapes():>14}")


def sources(revision: str | None) -> dict[str, str]:
    """Path -> text of each Python file, of the working tree or of a revision."""
    if revision is None:
        return {path: (ROOT / path).read_text("utf-8") for path in python_files("ls-files", "--", *PACKAGE)}
    listed = python_files("ls-tree", "-r", "--name-only", revision, "--", *PACKAGE)
    return {path: git("show", f"{revision}:{path}") for path in listed}


def python_files(*words: str) -> list[str]:
    """Existing Python files that a git command lists."""
    listed = [path for path in git(*words).splitlines() if path.endswith(".py")]
    return [path for path in listed if words[0] == "ls-tree" or (ROOT / path).is_file()]


def git(*words: str) -> str:
    """Output of a git command."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def figures(files: Mapping[str, str]) -> dict[str, object]:
    """The counts of some files."""
    trees = {path: ast.parse(source) for path, source in files.items()}
    lengths = [node.end_lineno - node.lineno + 1 for tree in trees.values() for node in ast.walk(tree)
               if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno]  # fmt: skip
    classes = defaultdict[str, set[str]](set)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].add(path)
    return {
        "files": len(files),
        "lines": sum(source.count("\n") for source in files.values()),
        "functions": len(lengths),
        "median lines of a function": median(lengths),
        "functions above 40 lines": sum(length > 40 for length in lengths),
        "re-exports": sum(1 for tree in trees.values() for _ in re_exports(tree)),
        "class names in more than two modules": sum(len(paths) > 2 for paths in classes.values()),
    }


def re_exports(tree: ast.Module) -> Iterator[str]:
    """Re-exported names: `import x as x`, or an import listed in `__all__`."""
    public = {name for node in tree.body for name in listed_names(node)}
    for node in tree.body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if alias.asname == alias.name or (alias.asname or alias.name) in public:
                yield alias.name


def listed_names(node: ast.stmt) -> list[str]:
    """The names in an `__all__`."""
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets):
        return [str(name) for name in ast.literal_eval(node.value)]
    return []


def record_shapes() -> int:
    """Number of different key sets of a record in `records list`, `records show` and the API document.

    A superset of the API's keys (with versions, for example) is not counted as its own shape:
    a program that reads the one reads the other.
    """
    if not (ROOT / GOLDEN).is_dir():
        return 0
    document = json.loads((ROOT / GOLDEN / "openapi.en.json").read_text("utf-8"))
    record = frozenset(document["components"]["schemas"]["Record"]["properties"])
    shapes = {record}
    for name in ("records-list.json", "records-show.json"):
        for one in json_values((ROOT / GOLDEN / "json" / name).read_text("utf-8")):
            shapes.add(record if record <= one.keys() else frozenset(one))
    return len(shapes)


def json_values(said: str) -> Iterator[dict[str, object]]:
    """The JSON objects in a text, in order."""
    decoder, place = json.JSONDecoder(), 0
    while said[place:].strip():
        place += len(said[place:]) - len(said[place:].lstrip())
        value, place = decoder.raw_decode(said, place)
        yield value


if __name__ == "__main__":
    main()
