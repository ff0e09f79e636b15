"""From a palette to a Textual theme; the house's tokens are the variables ``$rw-…`` of style sheets and texts.

Must not hold a color: every one comes from a palette, or is mixed from a theme's own.
"""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

from runwatch.palettes import TOKENS, Palette

PREFIX = "rw-"
"""In front of every variable of the house."""


def variable(section: str, token: str) -> str:
    """Return the variable that holds a token of a palette's section."""
    name = f"level_{token}" if section == "levels" else token
    return PREFIX + name.replace("_", "-")


VARIABLES = frozenset(variable(section, token) for section, tokens in TOKENS.items() for token in tokens)
"""All that there are."""


def to_theme(palette: Palette) -> Theme:
    """Return the palette as a theme."""
    return Theme(
        name=palette.name,
        primary=palette.primary,
        secondary=palette.secondary,
        accent=palette.accent,
        foreground=palette.foreground,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        success=palette.success,
        warning=palette.warning,
        error=palette.error,
        dark=palette.dark,
        variables={PREFIX + token.replace("_", "-"): color for token, color in palette.tokens.items()},
    )


def stand_ins(theme: Theme) -> dict[str, str]:
    """Return every variable of the house, made from the base colors of a theme that lacks them."""
    system = theme.to_color_system().generate()
    ground, text = Color.parse(system["background"]), Color.parse(system["foreground"])

    def mixed(share: float) -> str:
        return ground.blend(text, share).hex

    sources = {
        "rule": mixed(0.24),
        "dim": mixed(0.62),
        "cursor": mixed(0.16),
        "hit_text": system["background"],
        "key": system["accent"],
        "hit": system["warning"],
        "done": system["success"],
        "running": system["primary"],
        "waiting": system["accent"],
        "failed": system["error"],
        "skipped": mixed(0.62),
        "debug": mixed(0.62),
        "info": system["primary"],
        "warn": system["warning"],
        "warning": system["warning"],
        "error": system["error"],
        "critical": system["error"],
    }
    charts = ("primary", "success", "warning", "secondary", "accent", "error")
    sources |= {f"chart_{number}": system[name] for number, name in enumerate(charts, 1)}
    return {variable(section, token): sources[token] for section, tokens in TOKENS.items() for token in tokens}
