"""Which value wins, and how raw values become typed ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runwatch.errors import SettingsError
from runwatch.settings import Settings, load, runs_root
from runwatch.settings.loading import check_value


class Place:
    """A home and a project, and the settings that are in force there."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.home = root / "home"
        self.project.mkdir()
        self.user_file = self.home / ".config" / "runwatch" / "runwatch.toml"
        self.user_file.parent.mkdir(parents=True)

    def write(self, text: str, name: str = "runwatch.toml") -> None:
        (self.project / name).write_text(text, encoding="utf-8")

    def load(self, flags: dict[str, Any] | None = None, **variables: str) -> Settings:
        return load(self.project, {"HOME": str(self.home), **variables}, flags)

    def refused(self, flags: dict[str, Any] | None = None, **variables: str) -> str:
        with pytest.raises(SettingsError) as raised:
            self.load(flags, **variables)
        return raised.value.sentence


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(sys, "platform", "linux")
    return Place(tmp_path)


def test_without_any_source_the_defaults_are_in_force(place: Place) -> None:
    assert place.load() == Settings()
    assert Settings().commit.mode == "current"
    assert not Settings().commit.push


def test_flags_beat_variables_beat_the_project_beats_the_user(place: Place) -> None:
    place.user_file.write_text('[llm]\nprovider = "user"\nmodel = "user"\ntemperature = 0.1\n[run]\nmode = "user"\n')
    assert place.load().llm.provider == "user"
    place.write('[llm]\nprovider = "project"\nmodel = "project"\ntemperature = 0.2\n')
    assert place.load().llm.provider == "project"
    variables = {"RUNWATCH_LLM_PROVIDER": "variable", "RUNWATCH_LLM_MODEL": "variable"}
    assert place.load(**variables).llm.provider == "variable"

    settings = place.load({"llm.provider": "flag", "llm.model": None}, **variables)

    assert settings.llm.provider == "flag"
    assert settings.llm.model == "variable"
    assert settings.llm.temperature == 0.2
    assert settings.run.mode == "user"


def test_a_table_of_the_users_own_keys_is_merged_key_by_key(place: Place) -> None:
    place.user_file.write_text('[keys]\n"logs.search" = "slash"\n"run.quit" = "q"\n')
    place.write('[keys]\n"run.quit" = "ctrl+q"\n[pricing."a/b"]\ninput = 1\noutput = 2\n')
    settings = place.load()
    assert settings.keys == {"logs.search": "slash", "run.quit": "ctrl+q"}
    assert settings.pricing == {"a/b": {"input": 1.0, "output": 2.0}}


def test_values_get_the_types_that_the_groups_promise(place: Place) -> None:
    place.write(
        '[capture]\nmax_file_bytes = "64 MiB"\n[limits]\nmax_duration = "2h 30m"\nstall_after = 90\n'
        'stop = ["max_duration"]\n[redact]\npatterns = ["ACME-[0-9]+"]\n[llm]\ntemperature = 1\n'
        "[run]\ncomplexity = {churn = 1}\n"
    )
    settings = place.load()
    assert settings.capture.max_file_bytes == 64 << 20
    assert (settings.limits.max_duration_s, settings.limits.stall_after_s) == (9000.0, 90.0)
    assert type(settings.limits.max_duration_s) is float
    assert type(settings.capture.max_file_bytes) is int
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings
    assert settings.limits.stop == ("max_duration",)
    assert settings.redact.patterns == ("ACME-[0-9]+",)
    assert settings.llm.temperature == 1.0
    assert settings.run.complexity == {"churn": 1.0}


def test_a_variable_is_text_and_still_gets_its_type(place: Place) -> None:
    settings = place.load(
        RUNWATCH_COMMIT_PUSH="true",
        RUNWATCH_LIMITS_MAX_TOKENS="7",
        RUNWATCH_LIMITS_MAX_DURATION="5m",
        RUNWATCH_ARCHIVE_EXCLUDE="*.bin, *.pt",
        RUNWATCH_LLM_MODEL="7",
    )
    assert settings.commit.push is True
    assert settings.limits.max_tokens == 7
    assert settings.limits.max_duration_s == 300.0
    assert settings.archive.exclude == ("*.bin", "*.pt")
    assert settings.llm.model == "7"


def test_a_number_in_quotes_is_no_number_in_a_file(place: Place) -> None:
    place.write('[limits]\nmax_tokens = "7"\n')
    assert place.refused() == 'runwatch.toml, line 2: limits.max_tokens is "7", but must be a whole number above 0.'


def test_our_variables_that_are_no_settings_and_those_of_others_are_left_alone(place: Place) -> None:
    others = {"RUNWATCH_RUN_DIR": "/x", "RUNWATCH_STEP": "3", "RUNWATCH_DISABLE": "1", "RUNWATCH_IMAGE": "x:1"}
    assert place.load(**others, RUNWATCH_LLM_MODEL="") == Settings()


def test_a_variable_that_is_nearly_one_of_ours_is_refused(place: Place) -> None:
    assert place.refused(RUNWATCH_COMIT_PUSH="true") == (
        "RUNWATCH_COMIT_PUSH: unknown variable; the nearest known one is RUNWATCH_COMMIT_PUSH."
    )


def test_a_bad_variable_or_flag_is_named(place: Place) -> None:
    assert place.refused(RUNWATCH_COMMIT_PUSH="maybe").startswith('RUNWATCH_COMMIT_PUSH: commit.push is "maybe"')
    assert place.refused({"capture.mode": "ptyy"}) == (
        'the command line: capture.mode is "ptyy", but must be one of auto, pipe, pty; the nearest is "pty".'
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('\n[tui]\ntheem = "x"', 'line 3: unknown key "tui.theem"; the nearest known key is "tui.theme".'),
        ("[limts]\nmax_cost_usd = 3", 'line 1: unknown key "limts"; the nearest known key is "limits".'),
        ('framework = "x"', 'line 1: unknown key "framework"; the nearest known key is "run.framework".'),
        (
            "[run]\nmax_tokens = 1",
            'line 2: unknown key "run.max_tokens"; the nearest known key is "limits.max_tokens".',
        ),
        ("tui.x = 1", 'line 1: unknown key "tui.x"; the nearest known key is "tui.theme".'),
        ('[commit]\npush = "yes"', 'line 2: commit.push is "yes", but must be true or false.'),
        ('[commit]\nmode = "a b"', 'line 2: commit.mode is "a b", but must be a text like "current".'),
        (
            '[commit]\nauthor = "me"',
            'line 2: commit.author is "me", but must be a text like "A Bot <bot@example.com>".',
        ),
        ('[steps]\npattern = "("', 'line 2: steps.pattern is "(", but must be a regular expression.'),
        ("[limits]\nmax_cost_usd = -1", "line 2: limits.max_cost_usd is -1, but must be a number above 0."),
        ("[commit]\npush = 1", "line 2: commit.push is 1, but must be true or false."),
        ("run = 3", "line 1: run must be a table of settings."),
        ("[keys]\na = 1", "line 2: keys.a is 1, but must be a text."),
        (
            "[pricing.m]\ninput = 1",
            "line 1: pricing.m is {'input': 1}, but must be a table of numbers that are not negative: input, output.",
        ),
        (
            "[run.complexity]\nchrun = 1",
            'line 2: unknown key "run.complexity.chrun"; the nearest known key is "churn".',
        ),
        (
            "[pricing.m]\ninput = 1\noutput = 2\ncached = 3",
            'line 4: unknown key "pricing.m.cached"; the nearest known key is "cache_read".',
        ),
        (
            '[commit]\npublish = ["hots"]',
            "line 2: commit.publish is ['hots'], but must be a list, each item one of host, cwd.",
        ),
    ],
)
def test_a_fault_is_one_sentence_with_file_line_value_and_the_nearest_known_key(
    place: Place, text: str, sentence: str
) -> None:
    place.write(text + "\n")
    assert place.refused() == f"runwatch.toml, {sentence}"


@pytest.mark.parametrize(("text", "line"), [("[run\n", 1), ("[run]\nmode = \n", 2), ("x = [1,\n", 2)])
def test_a_file_that_is_not_toml_is_refused_with_its_line(place: Place, text: str, line: int) -> None:
    place.write(text)
    assert place.refused().startswith(f"runwatch.toml, line {line}: this is not TOML (")


def test_a_file_that_cannot_be_read_as_text_is_refused(place: Place) -> None:
    (place.project / "runwatch.toml").write_bytes(b"\xff")
    assert place.refused() == "runwatch.toml: byte 0 is not UTF-8; save the file as UTF-8."
    (place.project / "runwatch.toml").unlink()
    place.user_file.mkdir()
    assert "cannot be read (Is a directory)" in place.refused()


def test_pyproject_is_read_where_it_has_our_table(place: Place) -> None:
    place.write('[tool.runwatch.tui]\ntheme = "mine"\n', "pyproject.toml")
    assert place.load().tui.theme == "mine"
    place.write("[tool.runwatch.git]\nbaes = 'x'\n", "pyproject.toml")
    assert place.refused().startswith('pyproject.toml, line 2: unknown key "git.baes"')
    place.write("[tool]\nrunwatch = 3 # [tool.runwatch]\n", "pyproject.toml")
    assert place.refused() == "pyproject.toml: tool.runwatch must be a table of settings."
    place.write("[tool.other\n", "pyproject.toml")
    assert place.load() == Settings()


def test_a_relative_runs_folder_is_relative_to_where_it_is_written(place: Place, tmp_path: Path) -> None:
    place.write('[run]\nruns_dir = "records"\n')
    below = place.project / "a"
    below.mkdir()
    (place.project / ".git").mkdir()
    environ = {"HOME": str(place.home)}

    assert runs_root(load(below, environ), below, place.project) == place.project / "records"
    environ["RUNWATCH_RUNS_DIR"] = "mine"
    assert runs_root(load(below, environ), below, place.project) == below / "mine"
    assert runs_root(load(below, environ, {"run.runs_dir": "/far"}), below, place.project) == Path("/far")


def test_a_runs_folder_of_the_users_is_relative_to_the_place_of_the_run(place: Place) -> None:
    place.user_file.write_text('[run]\nruns_dir = "records"\n')
    assert runs_root(place.load(), place.project, Path("/top")) == Path("/top/records")
    place.user_file.write_text('[run]\nruns_dir = "~/records"\n')
    assert runs_root(place.load(), place.project, None).is_absolute()


def test_runs_lie_at_the_top_of_the_work_tree_else_in_the_current_folder() -> None:
    assert runs_root(Settings(), Path("/top/below"), Path("/top")) == Path("/top/runs")
    assert runs_root(Settings(), Path("/plain"), None) == Path("/plain/runs")


def test_a_single_value_can_be_checked() -> None:
    check_value("tui.theme", "x")
    with pytest.raises(SettingsError, match=r"tui\.theme is 3, but must be a text"):
        check_value("tui.theme", 3)


def test_loading_needs_no_toml_library_where_no_file_exists(place: Place) -> None:
    probe = (
        "import sys; from pathlib import Path; from runwatch.settings import load;"
        "load(Path(sys.argv[1]), {'HOME': '/x'});"
        "print(sorted({'tomllib', 'tomlkit', 'platformdirs', 'difflib', 'dataclasses'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(place.project)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
