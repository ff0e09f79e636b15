"""Which variables reach runwatch's git commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.vcs.environment import stripped


@pytest.mark.parametrize(
    "name",
    [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
        "GIT_CONFIG_PARAMETERS",
        "GIT_QUARANTINE_PATH",
        "GIT_LITERAL_PATHSPECS",
        "GIT_AUTHOR_DATE",
        "GIT_EXTERNAL_DIFF",
        "GIT_TRACE",
        "GIT_DEFAULT_HASH",
        "GIT_PREFIX",
    ],
)
def test_what_turns_a_command_elsewhere_is_stripped(name: str) -> None:
    assert stripped({name: "x", "HOME": "/home/someone"}) == [name]


@pytest.mark.parametrize("name", ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"])
def test_where_the_objects_lie_is_kept_but_for_what_a_hook_of_another_repository_or_a_push_left(
    name: str, tmp_path: Path
) -> None:
    said = {name: "x"}
    assert stripped(said, tmp_path) == []
    assert stripped(said | {"GIT_DIR": str(tmp_path)}, tmp_path) == ["GIT_DIR"]
    assert stripped(said | {"GIT_DIR": "/another"}, tmp_path) == sorted(["GIT_DIR", name])
    assert stripped(said | {"GIT_QUARANTINE_PATH": "y"}, tmp_path) == [name, "GIT_QUARANTINE_PATH"]


@pytest.mark.parametrize(
    "name",
    ["GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "PATH"],
)
def test_who_the_user_is_and_where_the_configuration_lies_stays(name: str) -> None:
    assert stripped({name: "x"}) == []
