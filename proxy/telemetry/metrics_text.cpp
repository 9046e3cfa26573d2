#include "telemetry/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>

namespace signet::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

class Page {
  public:
    void family(std::string name, std::string help, MetricType type) {
        families_.push_back(MetricFamily{std::move(name), std::move(help), type, {}});
    }
    void sample(const Labels& labels, double value) {
        ClientMetric m = labelled(labels);
        (families_.back().type == MetricType::Counter ? m.counter.value : m.gauge.value) = value;
        families_.back().metric.push_back(std::move(m));
    }
    void histogram(const Labels& labels, const Histogram& h) {
        ClientMetric m = labelled(labels);
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < h.counts.size(); ++i) {
            total += h.counts[i];
            const double bound =
                i < Histogram::bounds.size() ? Histogram::bounds[i] : std::numeric_limits<double>::infinity();
            m.histogram.bucket.push_back({total, bound});
        }
        m.histogram.sample_count = total;
        m.histogram.sample_sum = static_cast<double>(h.sum_ns) / 1e9;
        families_.back().metric.push_back(std::move(m));
    }
    [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

  private:
    static ClientMetric labelled(const Labels& labels) {
        ClientMetric m;
        for (const auto& [name, value] : labels) m.label.push_back({name, value});
        return m;
    }
    std::vector<MetricFamily> families_;
};

}  // namespace

std::string metrics_text(const Totals& t) {
    Page page;
    const auto& w = t.workers;
    const auto number = [](auto n) { return static_cast<double>(n); };
    page.family("signet_requests_total", "Requests by route and decision.", MetricType::Counter);
    for (const auto& [route, counters] : w.routes)
        for (std::size_t i = 0; i < outcome_words.size(); ++i)
            page.sample({{"route", route}, {"decision", outcome_words[i]}}, number(counters.by_outcome[i]));
    const auto refusals = [&](const std::map<DenialLabels, std::uint64_t>& counted) {
        for (const auto& [l, n] : counted)
            page.sample({{"reason", std::string(word(l.reason))}, {"issuer", l.issuer}, {"route", l.route}},
                        number(n));
    };
    page.family("signet_denied_total", "Refusals by reason, issuer and route.", MetricType::Counter);
    refusals(w.denied);
    page.family("signet_would_deny_total", "Refusals that report_only lifted, by reason, issuer and route.",
                MetricType::Counter);
    refusals(w.would_deny);
    page.family("signet_request_duration_seconds", "From the request's head to the end of its answer.",
                MetricType::Histogram);
    page.histogram({}, w.request_duration);
    page.family("signet_verify_duration_seconds", "Checking a token not seen before.", MetricType::Histogram);
    for (const auto& [alg, h] : w.verify_duration) page.histogram({{"alg", alg}}, h);
    page.family("signet_token_cache_total", "Look-ups among remembered tokens.", MetricType::Counter);
    page.sample({{"result", "hit"}}, number(w.cache_hits));
    page.sample({{"result", "miss"}}, number(w.cache_misses));
    page.family("signet_token_cache_entries", "Tokens remembered.", MetricType::Gauge);
    page.sample({}, number(w.cache_entries));
    page.family("signet_claims_left_out_total", "Claims that could not be written as a header.",
                MetricType::Counter);
    page.sample({}, number(w.claims_left_out));
    page.family("signet_access_lines_dropped_total",
                "Access lines lost because the log was not read fast enough.", MetricType::Counter);
    page.sample({}, number(w.access_lines_dropped));
    page.family("signet_jwks_fetch_total", "Fetches of key sets.", MetricType::Counter);
    for (const auto& i : t.issuers) {
        page.sample({{"issuer", i.name}, {"result", "success"}}, number(i.fetches_good));
        page.sample({{"issuer", i.name}, {"result", "failure"}}, number(i.fetches_failed));
    }
    page.family("signet_jwks_age_seconds", "Since the last successful fetch.", MetricType::Gauge);
    for (const auto& i : t.issuers)
        if (i.age_seconds) page.sample({{"issuer", i.name}}, *i.age_seconds);
    page.family("signet_revocation_entries", "Revocations in force.", MetricType::Gauge);
    page.sample({}, number(t.revocation_entries));
    page.family("signet_revocation_lag_seconds", "How far the local copy may be behind its store.",
                MetricType::Gauge);
    page.sample({}, t.revocation_lag_seconds);
    page.family("signet_upstream_requests_total", "Answers by upstream and status; code 0: none.",
                MetricType::Counter);
    for (const auto& [l, n] : w.upstream_requests)
        page.sample({{"upstream", l.first}, {"code", std::to_string(l.second)}}, number(n));
    page.family("signet_connections", "Open connections.", MetricType::Gauge);
    page.sample({{"side", "client"}}, number(w.client_connections));
    page.sample({{"side", "upstream"}}, number(w.upstream_connections));
    page.family("signet_config_last_reload_successful",
                "1 if the configuration in force is the last one read.", MetricType::Gauge);
    page.sample({}, t.last_reload_good ? 1 : 0);
    page.family("signet_config_reloads_total", "Configurations read again, by result.", MetricType::Counter);
    page.sample({{"result", "success"}}, number(t.reloads_good));
    page.sample({{"result", "failure"}}, number(t.reloads_failed));
    page.family("signet_build_info", "Always 1.", MetricType::Gauge);
    page.sample({{"version", t.version}}, 1);
    return page.text();
}

}  // namespace signet::telemetry
