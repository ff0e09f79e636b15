"""runwatch: record, watch and summarize long runs. Every public name, imported where it is first used.

Must hold nothing else: ``import runwatch`` has to stay cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runwatch.runs.retention import LogRotation, RetentionPolicy
    from runwatch.sdk.archiver import Archiver
    from runwatch.sdk.calls import service, tool
    from runwatch.sdk.code_metrics import CodeMetricsCollector
    from runwatch.sdk.collector import ExecutionMetrics, MetricsCollector, MetricsReporter
    from runwatch.sdk.costs import estimate_llm_cost
    from runwatch.sdk.git import git_metrics
    from runwatch.sdk.health import HealthStatus, check_external_services
    from runwatch.sdk.health_server import HealthCheckServer
    from runwatch.sdk.issues import IssueTracker
    from runwatch.sdk.llm import llm_metrics
    from runwatch.sdk.log_context import LogContext
    from runwatch.sdk.log_format import StructuredFormatter
    from runwatch.sdk.log_handler import DynamicFileHandler
    from runwatch.sdk.loggers import get_logger, get_runner_logger, setup_logging
    from runwatch.sdk.orchestration import dispatch_metrics, task_metrics, update_task_state_gauges
    from runwatch.sdk.pipelines import PipelineMonitor
    from runwatch.sdk.reconciler import UsageReconciler
    from runwatch.sdk.run import RunLogger, current_run
    from runwatch.sdk.summarizer import LogSummarizer
    from runwatch.sdk.tools import ToolMonitor
    from runwatch.sources.forge import PipelineProvider
    from runwatch.sources.forge_github import GitHubProvider
    from runwatch.sources.forge_gitlab import GitLabProvider

__all__ = [
    "Archiver",
    "CodeMetricsCollector",
    "DynamicFileHandler",
    "ExecutionMetrics",
    "GitHubProvider",
    "GitLabProvider",
    "HealthCheckServer",
    "HealthStatus",
    "IssueTracker",
    "LogContext",
    "LogRotation",
    "LogSummarizer",
    "MetricsCollector",
    "MetricsReporter",
    "PipelineMonitor",
    "PipelineProvider",
    "RetentionPolicy",
    "RunLogger",
    "StructuredFormatter",
    "ToolMonitor",
    "UsageReconciler",
    "check_external_services",
    "current_run",
    "dispatch_metrics",
    "estimate_llm_cost",
    "get_logger",
    "get_runner_logger",
    "git_metrics",
    "llm_metrics",
    "service",
    "setup_logging",
    "task_metrics",
    "tool",
    "update_task_state_gauges",
]

_HOMES = {
    "Archiver": "sdk.archiver",
    "CodeMetricsCollector": "sdk.code_metrics",
    "DynamicFileHandler": "sdk.log_handler",
    "ExecutionMetrics": "sdk.collector",
    "GitHubProvider": "sources.forge_github",
    "GitLabProvider": "sources.forge_gitlab",
    "HealthCheckServer": "sdk.health_server",
    "HealthStatus": "sdk.health",
    "IssueTracker": "sdk.issues",
    "LogContext": "sdk.log_context",
    "LogRotation": "runs.retention",
    "LogSummarizer": "sdk.summarizer",
    "MetricsCollector": "sdk.collector",
    "MetricsReporter": "sdk.collector",
    "PipelineMonitor": "sdk.pipelines",
    "PipelineProvider": "sources.forge",
    "RetentionPolicy": "runs.retention",
    "RunLogger": "sdk.run",
    "StructuredFormatter": "sdk.log_format",
    "ToolMonitor": "sdk.tools",
    "UsageReconciler": "sdk.reconciler",
    "check_external_services": "sdk.health",
    "current_run": "sdk.run",
    "dispatch_metrics": "sdk.orchestration",
    "estimate_llm_cost": "sdk.costs",
    "get_logger": "sdk.loggers",
    "get_runner_logger": "sdk.loggers",
    "git_metrics": "sdk.git",
    "llm_metrics": "sdk.llm",
    "service": "sdk.calls",
    "setup_logging": "sdk.loggers",
    "task_metrics": "sdk.orchestration",
    "tool": "sdk.calls",
    "update_task_state_gauges": "sdk.orchestration",
}
"""Public name → its module below ``runwatch``."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"runwatch.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
