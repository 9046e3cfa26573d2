#include "app/key_keeper.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>
#include <set>

#include "app/prepare.hpp"

namespace signet::app {
namespace {

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

std::set<std::string> kids_of(const jose::KeySet& set) {
    std::set<std::string> out;
    for (const auto& key : set.keys) out.insert(key.kid().value_or("(no kid)"));
    return out;
}

std::string difference(const std::set<std::string>& a, const std::set<std::string>& b) {
    std::string out;
    for (const auto& kid : a)
        if (!b.contains(kid)) out += (out.empty() ? "" : " ") + kid;
    return out;
}

}  // namespace

void KeyKeeper::configure(const std::vector<keys::Settings>& settings,
                          const std::vector<std::shared_ptr<const jose::KeySet>>& sets) {
    static std::mt19937_64 random{std::random_device{}()};
    std::uniform_real_distribution<double> jitter(0, 1);
    std::vector<std::shared_ptr<Issuer>> next;
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const auto same =
            std::ranges::find_if(issuers_, [&](const auto& old) { return old->settings == settings[i]; });
        if (same != issuers_.end() && keys::is_remote(settings[i].kind)) {
            next.push_back(*same);
            continue;
        }
        auto issuer = std::make_shared<Issuer>(settings[i], jitter(random), steady_now());
        if (sets[i]) {
            report_changes(*issuer, *sets[i]);
            issuer->set = sets[i];
            issuer->ever_good = true;
            issuer->last_success = wall_now();
        }
        if (keys::is_file(settings[i].kind))
            issuer->watch = std::make_unique<store::FileWatch>(std::vector{settings[i].location});
        next.push_back(std::move(issuer));
    }
    issuers_ = std::move(next);
}

void KeyKeeper::unknown_kid(std::size_t issuer) {
    boost::asio::post(context_, [this, issuer] {
        if (issuer >= issuers_.size() || !keys::is_remote(issuers_[issuer]->settings.kind)) return;
        issuers_[issuer]->machine.unknown_kid(steady_now());
        tick(steady_now());
    });
}

bool KeyKeeper::refresh(std::string_view name) {
    for (const auto& issuer : issuers_) {
        if (issuer->settings.name != name) continue;
        issuer->machine.refresh_requested(steady_now());
        tick(steady_now());
        if (issuer->watch) check_files();
        return true;
    }
    return false;
}

bool KeyKeeper::good_now(const Issuer& issuer, SteadyTime now) const {
    if (!issuer.set) return false;
    return !keys::is_remote(issuer.settings.kind) || now < issuer.machine.good_until().value_or(now);
}

void KeyKeeper::tick(SteadyTime now) {
    bool changed = false;
    for (const auto& issuer : issuers_) {
        if (!keys::is_remote(issuer->settings.kind)) continue;
        if (issuer->machine.fetch_is_due(now)) {
            start_fetch(issuer, now);
            changed = true;
        }
        const bool stale = issuer->set && !good_now(*issuer, now);
        if (stale == issuer->stale) continue;
        issuer->stale = stale;
        changed = true;
        if (stale)
            log_.error("keys too old",
                       {{"issuer", issuer->settings.name},
                        {"detail",
                         "no fetch has succeeded for max_stale; requests are answered 503 until one does"}});
    }
    if (changed) changed_();
}

void KeyKeeper::start_fetch(const std::shared_ptr<Issuer>& issuer, SteadyTime now) {
    issuer->machine.fetch_started(now);
    // The fetch holds a weak name only: a reload may drop the issuer meanwhile.
    net::fetch_keys(context_, issuer->settings,
                    [this, weak = std::weak_ptr(issuer)](result<net::FetchedKeys> fetched) {
                        if (const auto alive = weak.lock()) {
                            finished(*alive, std::move(fetched));
                            changed_();
                        }
                    });
}

void KeyKeeper::finished(Issuer& issuer, result<net::FetchedKeys> fetched) {
    const auto now = steady_now();
    const bool same = fetched && issuer.set && issuer.text == fetched->text;
    std::optional<jose::KeySet> fresh;
    std::string error = fetched ? std::string{} : fetched.error().message;
    if (fetched && !same) {
        auto parsed = jose::parse_jwk_set(fetched->text);
        if (parsed)
            fresh = std::move(*parsed);
        else
            error = fetched->jwks_uri + ": " + parsed.error().message;
    }
    if (!error.empty()) {
        // What is known stays: a broken answer is no reason to forget good keys (CVE-2026-48524).
        issuer.machine.fetch_failed(now);
        ++issuer.failed;
        issuer.last_error = std::move(error);
        log_.warn("key fetch failed", {{"issuer", issuer.settings.name}, {"error", issuer.last_error}});
        return;
    }
    issuer.machine.fetch_succeeded(now, fetched->max_age);
    ++issuer.good;
    issuer.last_success = wall_now();
    issuer.last_error.clear();
    issuer.ever_good = true;
    issuer.stale = false;
    if (same) return;
    report_changes(issuer, *fresh);
    issuer.text = std::move(fetched->text);
    issuer.set = std::make_shared<const jose::KeySet>(std::move(*fresh));
}

void KeyKeeper::report_changes(const Issuer& issuer, const jose::KeySet& fresh) {
    const auto before = issuer.set ? kids_of(*issuer.set) : std::set<std::string>{};
    const auto after = kids_of(fresh);
    log_.info("keys changed", {{"issuer", issuer.settings.name},
                               {"appeared", difference(after, before)},
                               {"left", difference(before, after)},
                               {"skipped", fresh.skipped.size()}});
}

void KeyKeeper::check_files() {
    bool changed = false;
    for (const auto& issuer : issuers_) {
        if (!issuer->watch || !issuer->watch->changed()) continue;
        auto set = read_keys(issuer->settings);
        if (!set) {
            issuer->last_error = set.error().message;
            log_.error("key file not taken",
                       {{"issuer", issuer->settings.name}, {"error", issuer->last_error}});
            continue;
        }
        issuer->last_error.clear();
        issuer->last_success = wall_now();
        report_changes(*issuer, *set);
        issuer->set = std::make_shared<const jose::KeySet>(std::move(*set));
        changed = true;
    }
    if (changed) changed_();
}

gate::Keys KeyKeeper::snapshots() const {
    const auto now = steady_now();
    gate::Keys out;
    for (const auto& issuer : issuers_) {
        auto snapshot = std::make_shared<keys::KeySnapshot>();
        if (good_now(*issuer, now)) snapshot->set = issuer->set;
        snapshot->remote = keys::is_remote(issuer->settings.kind);
        snapshot->last_fetch_good = !snapshot->remote || issuer->machine.last_fetch_good();
        snapshot->fetching = issuer->machine.fetching();
        snapshot->refetch_from = issuer->machine.refetch_from();
        snapshot->fetches = issuer->machine.fetches();
        out.push_back(std::move(snapshot));
    }
    return out;
}

bool KeyKeeper::all_ready() const {
    return std::ranges::all_of(issuers_,
                               [](const auto& i) { return i->ever_good || !i->settings.required_for_ready; });
}

bool KeyKeeper::settled() const {
    return std::ranges::none_of(issuers_, [](const auto& i) {
        return keys::is_remote(i->settings.kind) && (i->machine.fetching() || i->machine.fetches() == 0);
    });
}

std::vector<admin::IssuerStatus> KeyKeeper::status() const {
    std::vector<admin::IssuerStatus> out;
    const auto wall = wall_now();
    const auto now = steady_now();
    for (const auto& issuer : issuers_) {
        admin::IssuerStatus s;
        s.name = issuer->settings.name;
        s.issuer = issuer->settings.issuer;
        s.has_keys = issuer->set != nullptr;
        if (issuer->set) {
            for (const auto& key : issuer->set->keys)
                s.keys.push_back(
                    {key.kid(), std::string(jose::kty_of(key.type())), key.algorithms().names()});
            for (const auto& skipped : issuer->set->skipped) s.skipped.push_back({skipped.kid, skipped.why});
        }
        s.last_success = issuer->last_success;
        s.last_error = issuer->last_error;
        if (keys::is_remote(issuer->settings.kind))
            s.next_refresh =
                wall + std::chrono::duration_cast<milliseconds>(issuer->machine.next_fetch() - now);
        s.stale = issuer->stale;
        s.required_for_ready = issuer->settings.required_for_ready;
        s.ever_good = issuer->ever_good;
        out.push_back(std::move(s));
    }
    return out;
}

std::vector<telemetry::IssuerFigures> KeyKeeper::figures() const {
    std::vector<telemetry::IssuerFigures> out;
    for (const auto& issuer : issuers_) {
        telemetry::IssuerFigures f{issuer->settings.name, issuer->good, issuer->failed, std::nullopt};
        if (issuer->last_success)
            f.age_seconds = std::chrono::duration<double>(wall_now() - *issuer->last_success).count();
        out.push_back(std::move(f));
    }
    return out;
}

}  // namespace signet::app
