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
#include "keys/refresh_machine.hpp"
#include "net/jwks_client.hpp"
#include "net/worker.hpp"
#include "store/files.hpp"
#include "telemetry/log.hpp"

namespace signet::app {

class KeyKeeper final : public net::KeyDemand {
  public:
    KeyKeeper(boost::asio::io_context& context, telemetry::Log& log, std::function<void()> changed)
        : context_(context), log_(log), changed_(std::move(changed)) {}

    // A new configuration. What is known of issuers whose settings stay the same is kept.
    void configure(const std::vector<keys::Settings>& settings,
                   const std::vector<std::shared_ptr<const jose::KeySet>>& sets);

    void unknown_kid(std::size_t issuer) override;  // any thread
    bool refresh(std::string_view name);            // at once; false: no such issuer
    void tick(SteadyTime now);                      // starts what is due; call often
    void check_files();                             // call now and then

    [[nodiscard]] gate::Keys snapshots() const;
    [[nodiscard]] bool all_ready() const;  // every required_for_ready issuer has had keys
    [[nodiscard]] std::vector<admin::IssuerStatus> status() const;
    [[nodiscard]] std::vector<telemetry::IssuerFigures> figures() const;
    [[nodiscard]] bool settled() const;  // no fetch is due or on its way

  private:
    struct Issuer {
        Issuer(const keys::Settings& s, double jitter, SteadyTime now)
            : settings(s), machine(s, jitter, now) {}
        keys::Settings settings;
        keys::RefreshMachine machine;
        std::shared_ptr<const jose::KeySet> set;
        std::string
            text;  // of a fetched set: the same text keeps the same set, and with it remembered tokens
        std::optional<WallTime> last_success;
        std::string last_error;
        std::uint64_t good = 0;
        std::uint64_t failed = 0;
        bool ever_good = false;
        bool stale = false;
        std::unique_ptr<store::FileWatch> watch;
    };
    void start_fetch(const std::shared_ptr<Issuer>& issuer, SteadyTime now);
    void finished(Issuer& issuer, result<net::FetchedKeys> fetched);
    void report_changes(const Issuer& issuer, const jose::KeySet& fresh);
    [[nodiscard]] bool good_now(const Issuer& issuer, SteadyTime now) const;

    boost::asio::io_context& context_;
    telemetry::Log& log_;
    std::function<void()> changed_;
    std::vector<std::shared_ptr<Issuer>> issuers_;
};

}  // namespace signet::app
