"""The public API: exactly these names, sorted, each importable from ``runwatch`` itself."""

import runwatch


def test_the_public_names_are_exactly_these() -> None:
    assert all(getattr(runwatch, name) is not None for name in runwatch.__all__)
    assert runwatch.__all__ == sorted(runwatch._HOMES) == [
        "Archiver", "CodeMetricsCollector", "DynamicFileHandler", "ExecutionMetrics", "GitHubProvider",
        "GitLabProvider", "HealthCheckServer", "HealthStatus", "IssueTracker", "LogContext", "LogRotation",
        "LogSummarizer", "MetricsCollector", "MetricsReporter", "PipelineMonitor", "PipelineProvider",
        "RetentionPolicy", "RunLogger", "StructuredFormatter", "ToolMonitor",
        "UsageReconciler", "check_external_services",
        "current_run", "dispatch_metrics", "estimate_llm_cost", "get_logger", "get_runner_logger", "git_metrics",
        "llm_metrics", "service", "setup_logging", "task_metrics", "tool", "update_task_state_gauges",
    ]  # fmt: skip
