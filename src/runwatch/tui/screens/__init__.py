"""The screens of the app, each with its style sheet beside it; `runwatch.tui.app` lists the sheets."""
