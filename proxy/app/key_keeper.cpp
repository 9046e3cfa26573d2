#include "app/key_keeper.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>
#include <set>

#include "app/prepare.hpp"
#include "keys/freshness.hpp"

namespace signet::app {
namespace {

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

constexpr std::size_t most_departed = 32;

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
        if (keys::is_remote(settings[i].kind)) {
            next.push_back(make_remote(settings[i], jitter(random)));
            continue;
        }
        auto issuer = std::make_shared<Issuer>(settings[i], jitter(random), steady_now());
        if (sets[i]) {
            // The same file, or the same keys in the configuration, is nothing new.
            const auto old = std::ranges::find_if(
                issuers_, [&](const auto& known) { return known->settings == settings[i]; });
            if (old != issuers_.end()) {
                issuer->set = (*old)->set;
                issuer->departed = (*old)->departed;
            }
            if (!issuer->set || kids_of(*issuer->set) != kids_of(*sets[i])) report_changes(*issuer, *sets[i]);
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

std::shared_ptr<KeyKeeper::Issuer> KeyKeeper::make_remote(const keys::Settings& settings, double jitter) {
    const auto old = std::ranges::find_if(
        issuers_, [&](const auto& known) { return keys::same_source(known->settings, settings); });
    if (old != issuers_.end() && (*old)->settings == settings) return *old;
    auto issuer = std::make_shared<Issuer>(settings, jitter, steady_now());
    if (old != issuers_.end()) take_over(*issuer, **old);
    if (!issuer->set && store_) take_from_disk(*issuer);
    return issuer;
}

// Other times, the same place and trust: an operator who changes those while the issuer is away loses no
// keys. The next fetch is a whole one.
void KeyKeeper::take_over(Issuer& issuer, const Issuer& old) const {
    issuer.good = old.good;
    issuer.failed = old.failed;
    issuer.last_error = old.last_error;
    const auto now = steady_now();
    if (!old.set || !old.machine.last_success()) return;
    issuer.machine.restored(now, std::chrono::floor<milliseconds>(now - *old.machine.last_success()),
                            old.machine.fetches());
    issuer.set = old.set;
    issuer.kept = old.kept;
    issuer.departed = old.departed;
    issuer.discovered_at = old.discovered_at;
    issuer.last_success = old.last_success;
    issuer.ever_good = old.ever_good;
}

void KeyKeeper::take_from_disk(Issuer& issuer) {
    const auto wall = wall_now();
    auto kept = store_->read(issuer.settings, wall);
    if (kept && !*kept) return;
    std::string why;
    if (!kept) {
        why = kept.error().message;
    } else if (auto set = jose::parse_jwk_set((*kept)->text); !set) {
        why = keys::kept_file_name(issuer.settings) + ": " + set.error().message;
    } else {
        issuer.kept = std::move(**kept);
        const auto age = std::max(wall - issuer.kept.fetched_at, milliseconds(0));
        const auto now = steady_now();
        issuer.machine.restored(now, age);
        if (issuer.kept.discovered_at)
            issuer.discovered_at = now - std::max(wall - *issuer.kept.discovered_at, milliseconds(0));
        issuer.last_success = issuer.kept.fetched_at;
        issuer.ever_good = true;
        log_.info("kept keys taken",
                  {{"issuer", issuer.settings.name},
                   {"age_seconds", static_cast<std::size_t>(std::chrono::floor<seconds>(age).count())}});
        report_changes(issuer, *set);
        issuer.set = std::make_shared<const jose::KeySet>(std::move(*set));
        return;
    }
    log_.warn("kept keys not used", {{"issuer", issuer.settings.name}, {"detail", why}});
}

void KeyKeeper::keep_on_disk(Issuer& issuer) {
    if (!store_) return;
    // Only times move where set and place are the same: often enough that max_stale means what it says.
    const auto now = steady_now();
    const auto often = std::min<milliseconds>(std::chrono::minutes(1), issuer.settings.max_stale / 10);
    if (issuer.written_at && now - *issuer.written_at < often) return;
    issuer.written_at = now;
    const auto failed = store_->write(issuer.settings, issuer.kept);
    const auto why = failed ? failed->message : std::string{};
    if (failed && why != issuer.store_error)
        log_.error("keys not kept on disk; a restart would have to fetch them",
                   {{"issuer", issuer.settings.name}, {"detail", why}});
    if (failed) issuer.written_at.reset();
    issuer.store_error = why;
}

void KeyKeeper::unknown_kid(std::size_t place, std::optional<Hash128> kid) {
    boost::asio::post(context_, [this, place, kid] {
        if (place >= issuers_.size() || !keys::is_remote(issuers_[place]->settings.kind)) return;
        auto& issuer = *issuers_[place];
        if (kid && !issuer.machine.fetching()) issuer.absent.asked(*kid);
        issuer.machine.unknown_kid(steady_now());
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
    net::KeyFetch fetch{issuer->settings, {}, {}, {}};
    const auto& max_stale = issuer->settings.max_stale;
    // Now and then the whole set is asked for: a wrong ETag must not keep a wrong set for ever.
    if (issuer->whole_at && now - *issuer->whole_at < max_stale) {
        fetch.etag = issuer->etag;
        fetch.etag_url = issuer->etag_url;
    }
    if (issuer->discovered_at && now - *issuer->discovered_at < max_stale)
        fetch.known_jwks_uri = issuer->kept.jwks_uri;
    // The fetch holds a weak name only: a reload may drop the issuer meanwhile.
    net::fetch_keys(context_, std::move(fetch), proxies_, resolver_,
                    [this, weak = std::weak_ptr(issuer)](const result<net::FetchedKeys>& fetched) {
                        const auto alive = weak.lock();
                        if (!alive) return;
                        const bool good = finished(*alive, fetched);
                        changed_();  // before the disk, which may take its time
                        if (good) keep_on_disk(*alive);
                    });
}

// What is known stays: a broken answer is no reason to forget good keys (CVE-2026-48524).
void KeyKeeper::failed(Issuer& issuer, SteadyTime now, std::string error) {
    issuer.machine.fetch_failed(now);
    ++issuer.failed;
    issuer.last_error = std::move(error);
    log_.warn("key fetch failed", {{"issuer", issuer.settings.name}, {"error", issuer.last_error}});
}

bool KeyKeeper::finished(Issuer& issuer, const result<net::FetchedKeys>& fetched) {
    const auto now = steady_now();
    if (!fetched) {
        failed(issuer, now, fetched.error().message);
        return false;
    }
    const bool same = fetched->not_modified || (issuer.set && issuer.kept.text == fetched->text);
    if (!same) {
        auto fresh = jose::parse_jwk_set(fetched->text);
        if (!fresh) {
            failed(issuer, now, fetched->jwks_uri + ": " + fresh.error().message);
            return false;
        }
        report_changes(issuer, *fresh);
        issuer.set = std::make_shared<const jose::KeySet>(std::move(*fresh));
        issuer.kept.text = fetched->text;
        issuer.written_at.reset();
    }
    const auto wall = wall_now();
    const bool silent = fetched->cache_control.empty() && fetched->expires.empty();
    if (!fetched->not_modified || !silent)  // RFC 9111 §4.3.4: what a 304 leaves out stays
        issuer.time_left =
            keys::time_left({fetched->cache_control, fetched->expires, fetched->date, fetched->age}, wall);
    issuer.machine.fetch_succeeded(now, issuer.time_left);
    std::vector<Hash128> kids;
    for (const auto& key : issuer.set->keys)
        if (key.kid()) kids.push_back(siphash128(kid_seed_, *key.kid()));
    issuer.absent.fetched(now, !same, kids);
    ++issuer.good;
    issuer.last_success = wall;
    issuer.last_error = fetched->discovery_error;
    if (!fetched->discovery_error.empty()) {
        log_.warn("discovery failed; keys were fetched from where the last good document said",
                  {{"issuer", issuer.settings.name}, {"error", fetched->discovery_error}});
    } else if (issuer.settings.kind != keys::SourceKind::jwks_uri) {
        issuer.kept.discovered_at = wall;
        issuer.discovered_at = now;
    }
    issuer.ever_good = true;
    issuer.stale = false;
    if (!fetched->not_modified) issuer.whole_at = now;
    issuer.etag = fetched->etag;
    issuer.etag_url = fetched->etag_url;
    issuer.kept.fetched_at = wall;
    if (issuer.kept.jwks_uri != fetched->jwks_uri) issuer.written_at.reset();
    issuer.kept.jwks_uri = fetched->jwks_uri;
    return true;
}

void KeyKeeper::report_changes(Issuer& issuer, const jose::KeySet& fresh) {
    const auto before = issuer.set ? kids_of(*issuer.set) : std::set<std::string>{};
    const auto after = kids_of(fresh);
    std::vector<keys::DepartedKid> departed;
    for (const auto& kid : before)
        if (!after.contains(kid)) departed.push_back({kid, wall_now()});
    if (issuer.departed)
        for (const auto& gone : *issuer.departed)
            if (departed.size() < most_departed && !after.contains(gone.kid)) departed.push_back(gone);
    if (!departed.empty())
        issuer.departed = std::make_shared<const std::vector<keys::DepartedKid>>(std::move(departed));
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
        snapshot->flight_began = issuer->machine.flight_began();
        snapshot->refetch_from = issuer->machine.refetch_from();
        snapshot->fetches = issuer->machine.fetches();
        snapshot->departed = issuer->departed;
        snapshot->kid_seed = kid_seed_;
        snapshot->quiet_kids = issuer->absent.quiet();
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
        if (keys::is_remote(issuer->settings.kind)) {
            s.jwks_uri = issuer->kept.jwks_uri;
            s.next_refresh =
                wall + std::chrono::duration_cast<milliseconds>(issuer->machine.next_fetch() - now);
            if (const auto since = issuer->machine.last_success())
                s.age_seconds = std::chrono::duration<double>(now - *since).count();
        }
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
        if (const auto since = issuer->machine.last_success())
            f.age_seconds = std::chrono::duration<double>(steady_now() - *since).count();
        else if (issuer->last_success)
            f.age_seconds = std::chrono::duration<double>(wall_now() - *issuer->last_success).count();
        out.push_back(std::move(f));
    }
    return out;
}

}  // namespace signet::app
