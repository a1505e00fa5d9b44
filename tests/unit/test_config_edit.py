"""One setting changes in a home's file, and everything that a person wrote there stays."""

from __future__ import annotations

import pytest

from bonsai.config.edit import with_setting
from bonsai.errors import ConfigError

WRITTEN = """\
# my home

[training]
# the seedling is enough
profile = "seedling" # for now
seed = 3

[cli]
profile = "no setting"
"""


def test_the_value_changes_and_its_comments_stay() -> None:
    assert with_setting(WRITTEN, "training", "profile", "smollm2") == WRITTEN.replace('"seedling"', '"smollm2"')


def test_a_missing_key_comes_under_its_section_and_a_missing_section_last() -> None:
    seeded = WRITTEN.replace('profile = "seedling" # for now\n', "")
    added = with_setting(seeded, "training", "profile", "auto")
    assert added == seeded.replace("[training]\n", '[training]\nprofile = "auto"\n')
    assert with_setting("", "training", "profile", "auto") == '[training]\nprofile = "auto"\n'
    assert with_setting("[cli]\nx = 1\n", "training", "profile", "auto").endswith('\n\n[training]\nprofile = "auto"\n')


def test_changed_twice_is_changed_once() -> None:
    once = with_setting(WRITTEN, "training", "profile", "a")
    assert with_setting(with_setting(WRITTEN, "training", "profile", "b"), "training", "profile", "a") == once


@pytest.mark.parametrize(
    "text", ['training = { profile = "seedling" }\n', 'training.profile = "seedling"\n', "[training\n"]
)
def test_another_form_of_the_section_is_left_to_the_person(text: str) -> None:
    with pytest.raises(ConfigError, match='by hand: profile = "auto"'):
        with_setting(text, "training", "profile", "auto")
