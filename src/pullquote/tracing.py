"""Traces of questions for an OpenTelemetry collector: the request, the question, its stages; ids and lengths, no text.

The only module that knows OpenTelemetry. Nothing is sent anywhere unless an operator names a collector.
"""

import logging
import time
from collections.abc import Sequence
from importlib.metadata import version

from pullquote.datatypes import Answer
from pullquote.errors import MissingLibrary
from pullquote.logs import REQUEST_ID
from pullquote.timing import INCOMING, Incoming, Interval, recording

try:
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
    from opentelemetry.trace import Span, SpanKind, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    message = "PULLQUOTE_OTLP needs one more library; install it with: pip install 'pullquote[otel]'"
    raise MissingLibrary(message) from error

log = logging.getLogger("pullquote")

PATH = "/v1/traces"
PATIENCE = 5.0  # seconds until a collector that does not answer is given up, at the end of the app too


class _Exporter(OTLPSpanExporter):
    """Says in one line what was not sent, where its library says each try."""

    def __init__(self, address: str) -> None:
        super().__init__(address.rstrip("/") + PATH, timeout=PATIENCE)
        self._address = address
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            log.warning("%d spans were not sent to %s: it does not answer, or refused them", len(spans), self._address)
        return result


class Tracer:
    """Sends the traces of questions to a collector, by a thread of its own. Safe to share between threads."""

    def __init__(self, address: str) -> None:
        resource = Resource.create({"service.name": "pullquote", "service.version": version("pullquote")})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(address)))
        self._tracer = self._provider.get_tracer("pullquote")
        self._carrier = TraceContextTextMapPropagator()
        self._epoch = time.time_ns() - time.perf_counter_ns()

    def hear(self, answer: Answer) -> None:
        """Send the trace of an answered question, in the thread that asked it."""
        record, now = recording(), time.perf_counter_ns()
        began = record.began if record else now
        question = self._span("question", began, self._request())
        question.set_attributes(_told(answer))
        if record:
            self._stages(record.intervals, question)
        question.end(self._epoch + now)

    def end(self, incoming: Incoming, route: str, status: int) -> None:
        """End the span of a request, if a question was asked in it."""
        span: Span | None = incoming.span
        if span:
            span.update_name(f"{incoming.method} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": status})
            span.end(self._epoch + time.perf_counter_ns())

    def close(self) -> None:
        """Send what waits, and end."""
        self._provider.shutdown()

    def _request(self) -> Span | None:
        """The span of the request that this thread answers, part of the caller's trace; None outside of any."""
        incoming = INCOMING.get()
        if incoming and incoming.span is None:
            caller = self._carrier.extract(incoming.carried, Context())
            attributes = {"http.request.method": incoming.method, "pullquote.request_id": REQUEST_ID.get()}
            began = self._epoch + incoming.began
            incoming.span = self._tracer.start_span(
                incoming.method, caller, SpanKind.SERVER, attributes, start_time=began
            )
        return incoming.span if incoming else None

    def _stages(self, intervals: Sequence[Interval], question: Span) -> None:
        spans: list[Span] = []
        now = time.perf_counter_ns()
        for one in intervals:
            spans.append(self._span(one.name, one.began, question if one.parent is None else spans[one.parent]))
        for one, span in zip(intervals, spans, strict=True):
            span.end(self._epoch + (one.ended or now))

    def _span(self, name: str, began: int, parent: Span | None) -> Span:
        context = set_span_in_context(parent, Context()) if parent else Context()
        return self._tracer.start_span(name, context, start_time=self._epoch + began)


def _told(answer: Answer) -> dict[str, str | float | int | bool | list[str]]:
    """What a span says of an answer."""
    return {
        "pullquote.status": answer.status,
        "pullquote.confidence": round(answer.confidence, 4),
        "pullquote.question.characters": len(answer.question),
        "pullquote.quotes": len(answer.quotes),
        "pullquote.articles": sorted({quote.article_id for quote in answer.quotes}),
        "pullquote.worded": bool(answer.worded_by),
    }
