"""The public API: exactly these names, sorted, each importable from ``runwatch`` itself."""

import runwatch


def test_the_public_names_are_exactly_these() -> None:
    names = [name for name in sorted(runwatch._HOMES) if getattr(runwatch, name).__module__.startswith("runwatch.sdk.")]
    assert runwatch.__all__ == names == [
        "DynamicFileHandler", "IssueTracker", "LogContext", "RunLogger", "StructuredFormatter", "ToolMonitor",
        "current_run", "get_logger", "get_runner_logger", "llm_metrics", "service", "setup_logging", "tool",
    ]  # fmt: skip
