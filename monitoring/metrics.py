"""Figures for Prometheus: those of the web process, and gauges from the last samples. Labels are ids and kinds, never names of people."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from integrations.models import Connection, Flow
from monitoring.latest import LatestSamples, latest_samples
from monitoring.models import Metric

OF_FLOWS = (
    (Metric.READY, "switchyard_flow_ready", "Deliveries that are ready to go"),
    (Metric.SENDING, "switchyard_flow_sending", "Deliveries in a worker's hands"),
    (Metric.ACCEPTED, "switchyard_flow_accepted", "Deliveries accepted by the destination and not yet confirmed"),
    (Metric.HELD, "switchyard_flow_held", "Deliveries that wait for a person"),
    (Metric.LAG, "switchyard_flow_lag_seconds", "Age of the oldest due live delivery"),
    (Metric.DELIVERED, "switchyard_flow_delivered_last_minute", "Deliveries delivered in the sampled minute"),
    (Metric.FAILED, "switchyard_flow_failed_last_minute", "Attempts that did not go through in the sampled minute"),
)
OF_CONNECTIONS = (
    (Metric.INBOX_WAITING, "switchyard_inbox_waiting", "Inbox events not yet processed"),
    (Metric.INBOX_FAILED, "switchyard_inbox_unreadable", "Inbox events that could not be read"),
    (Metric.ARRIVED, "switchyard_arrived_last_minute", "Inbox events received and objects pulled in the sampled minute"),
)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in Prometheus' text format; 403 for callers who are neither on this machine nor carry METRICS_TOKEN."""
    if not may_read(request):
        return HttpResponseForbidden("Not from here, and no valid token.\n", content_type="text/plain")
    page = ExportToDjangoView(request)
    registry = CollectorRegistry()
    registry.register(SampleGauges())
    page.content += generate_latest(registry)
    return page


def may_read(request: HttpRequest) -> bool:
    """True for a valid bearer token, and for a direct call from this machine; a proxy on this machine does not count as one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        return True
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a unix socket has no address
        return False


class SampleGauges:
    """A collector that reads the newest samples when it is asked."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing in advance, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge per metric."""
        samples = latest_samples()
        age = -1.0 if samples.at is None else (timezone.now() - samples.at).total_seconds()
        yield GaugeMetricFamily("switchyard_sample_age_seconds", "Age of the newest samples, -1 when there are none", value=age)
        yield from _of_flows(samples)
        yield from _of_connections(samples)
        questions = GaugeMetricFamily("switchyard_open_questions", "Open exceptions by kind", labels=["kind"])
        for kind, count in sorted(samples.by_prefix("questions.").items()):
            questions.add_metric([kind], count)
        yield questions


def _of_flows(samples: LatestSamples) -> Iterator[GaugeMetricFamily]:
    flows = list(Flow.objects.select_related("source", "destination"))
    for metric, name, text in OF_FLOWS:
        gauge = GaugeMetricFamily(name, text, labels=["flow", "source", "destination", "record_type"])
        for flow in flows:
            labels = [str(flow.pk), flow.source.platform, flow.destination.platform, flow.record_type]
            gauge.add_metric(labels, samples.of_flow(flow.pk, metric))
        yield gauge


def _of_connections(samples: LatestSamples) -> Iterator[GaugeMetricFamily]:
    connections = list(Connection.objects.only("pk", "platform"))
    for metric, name, text in OF_CONNECTIONS:
        gauge = GaugeMetricFamily(name, text, labels=["connection", "platform"])
        for connection in connections:
            gauge.add_metric([str(connection.pk), connection.platform], samples.of_connection(connection.pk, metric) or 0)
        yield gauge
