"""Changes one setting in the text of a home's `bonsai.toml`; comments and everything else stay as they were written.

with_setting(text, "training", "profile", "smollm2-135m")
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from bonsai.errors import ConfigError

_TABLE = re.compile(r"\s*\[")


def with_setting(text: str, section: str, key: str, value: str) -> str:
    """The text with `key` of `[section]` set.

    Raises ConfigError when that would change something else too: the file has the section in another form.
    """
    lines = text.splitlines()
    written = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    head = next((i for i, line in enumerate(lines) if re.fullmatch(rf"\s*\[\s*{section}\s*\]\s*(#.*)?", line)), None)
    if head is None:
        lines += ["", f"[{section}]", written] if lines else [f"[{section}]", written]
    else:
        end = next((i for i in range(head + 1, len(lines)) if _TABLE.match(lines[i])), len(lines))
        at = next((i for i in range(head + 1, end) if re.match(rf"\s*{key}\s*=", lines[i])), None)
        if at is None:
            lines.insert(head + 1, written)
        else:
            comment = re.search(r"""=\s*(?:"[^"]*"|'[^']*'|[^#"']*?)(\s*#.*)?$""", lines[at])
            lines[at] = written + (comment[1] or "" if comment else "")
    made = "\n".join(lines) + "\n"
    if not _is_that_change(text, made, section, key, value):
        raise ConfigError("config.edit_by_hand", section=section, line=written)
    return made


def _is_that_change(before: str, after: str, section: str, key: str, value: str) -> bool:
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    wanted: dict[str, Any] = {**old, section: {**old.get(section, {}), key: value}}
    return new == wanted
