"""Metrics for Prometheus: counted as things happen, the state of things read when it is asked for."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pullquote import generations
from pullquote.answering import Assistant
from pullquote.datatypes import Answer
from pullquote.jobs import Jobs
from pullquote.library import Library
from pullquote.readiness import Check

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)  # seconds
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Metrics:
    """The metrics of one server, in a registry of its own. Safe to share between threads."""

    def __init__(self, assistant: Assistant, jobs: Jobs, checks: Callable[[], list[Check]]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # memory, processor time, open files
        self._registry.register(_State(assistant, jobs, checks))
        self._questions = Counter(
            "pullquote_questions", 'Answers by status; "not_found" is a refusal.', ["status"], registry=self._registry
        )
        self._stages = Histogram(
            "pullquote_stage_seconds",
            "Seconds of a question in a stage.",
            ["stage"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._requests = Histogram(
            "pullquote_http_request_seconds",
            "Requests by method, template of the route, and status.",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=self._registry,
        )

    def count_answer(self, answer: Answer) -> None:
        """An answered question."""
        self._questions.labels(answer.status).inc()
        for stage, seconds in answer.seconds.items():
            self._stages.labels(stage).observe(seconds)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that has ended. `route` is a template, for each value is kept for good."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self._registry)


class _State(Collector):
    """How things stand."""

    def __init__(self, assistant: Assistant, jobs: Jobs, checks: Callable[[], list[Check]]) -> None:
        self._assistant = assistant
        self._jobs = jobs
        self._checks = checks

    def describe(self) -> Iterator[Metric]:  # else it is collected when it is registered
        return iter(())

    def collect(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("pullquote_ready", "1 where what was looked at is well.", labels=["check"])
        for check in self._checks():
            ready.add_metric([check.name], float(not check.problem))
        yield ready
        library = self._assistant.library
        yield GaugeMetricFamily("pullquote_library_revision", "Changes to the library so far.", library.revision)
        if isinstance(library, Library):
            number = (generations.current(library.folder) or (0, None))[0]
            yield GaugeMetricFamily("pullquote_index_generation", "Number of the index on disk, 0 for none.", number)
        yield GaugeMetricFamily("pullquote_jobs", "Changes that wait or run.", self._jobs.open)
