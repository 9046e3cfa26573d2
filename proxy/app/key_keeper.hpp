// Keeps every issuer's keys fresh: runs one RefreshMachine each, fetches, watches files, and tells when
// anything changed. The control thread's, but for unknown_kid().
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/status.hpp"
#include "gate/gate.hpp"
#include "keys/absent_kids.hpp"
#include "keys/kept_keys.hpp"
#include "keys/refresh_machine.hpp"
#include "net/jwks_client.hpp"
#include "net/worker.hpp"
#include "store/files.hpp"
#include "store/key_store.hpp"
#include "telemetry/log.hpp"

namespace signet::app {

class KeyKeeper final : public net::KeyDemand {
  public:
    KeyKeeper(boost::asio::io_context& context, telemetry::Log& log, std::function<void()> changed)
        : context_(context), log_(log), changed_(std::move(changed)) {}

    // Before the first configure(): last good keys are kept on disk, and taken from there.
    void keep_in(const store::KeyStore& store) { store_ = store; }
    void fetch_through(const net::ProxyRules& proxies) { proxies_ = proxies; }

    // A new configuration. What is known of issuers whose keys come from the same place is kept.
    void configure(const std::vector<keys::Settings>& settings,
                   const std::vector<std::shared_ptr<const jose::KeySet>>& sets);

    void unknown_kid(std::size_t issuer, std::optional<Hash128> kid) override;  // any thread
    bool refresh(std::string_view name);  // at once; false: no such issuer
    void tick(SteadyTime now);            // starts what is due; call often
    void check_files();                   // call now and then

    [[nodiscard]] gate::Keys snapshots() const;
    [[nodiscard]] bool all_ready() const;  // every required_for_ready issuer has had keys
    [[nodiscard]] std::vector<admin::IssuerStatus> status() const;
    [[nodiscard]] std::vector<telemetry::IssuerFigures> figures() const;
    [[nodiscard]] bool settled() const;  // each first fetch has ended, none is under way

  private:
    struct Issuer {
        Issuer(const keys::Settings& s, double jitter, SteadyTime now)
            : settings(s), machine(s, jitter, now), absent(s.refetch_cooldown) {}
        keys::Settings settings;
        keys::RefreshMachine machine;
        keys::AbsentKids absent;
        std::shared_ptr<const jose::KeySet> set;
        // Of the last good fetch: the same text keeps the same set, and with it remembered tokens. Empty
        // text: none, or keys that are not fetched.
        keys::KeptKeys kept;
        std::string etag, etag_url;               // of that set; not kept over restarts or new settings
        std::optional<seconds> time_left;         // that the issuer stated last; a 304 may leave it out
        std::optional<SteadyTime> whole_at;       // when the set was last sent whole
        std::optional<SteadyTime> discovered_at;  // when a discovery document last named kept.jwks_uri
        std::optional<SteadyTime> written_at;
        std::shared_ptr<const std::vector<keys::DepartedKid>> departed;
        std::optional<WallTime> last_success;
        std::string last_error;
        std::string store_error;
        std::uint64_t good = 0;
        std::uint64_t failed = 0;
        bool ever_good = false;
        bool stale = false;
        std::unique_ptr<store::FileWatch> watch;
    };
    std::shared_ptr<Issuer> make_remote(const keys::Settings& settings, double jitter);
    void take_over(Issuer& issuer, const Issuer& old) const;
    void take_from_disk(Issuer& issuer);
    void keep_on_disk(Issuer& issuer);
    void start_fetch(const std::shared_ptr<Issuer>& issuer, SteadyTime now);
    // -> whether it succeeded
    bool finished(Issuer& issuer, const result<net::FetchedKeys>& fetched);
    void failed(Issuer& issuer, SteadyTime now, std::string error);
    void report_changes(Issuer& issuer, const jose::KeySet& fresh);
    [[nodiscard]] bool good_now(const Issuer& issuer, SteadyTime now) const;

    boost::asio::io_context& context_;
    telemetry::Log& log_;
    std::function<void()> changed_;
    HashSeed kid_seed_ = random_seed();
    std::optional<store::KeyStore> store_;
    net::ProxyRules proxies_;
    std::shared_ptr<net::SystemResolver> resolver_ = std::make_shared<net::SystemResolver>();
    std::vector<std::shared_ptr<Issuer>> issuers_;
};

}  // namespace signet::app
