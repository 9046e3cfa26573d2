// Keys for commands that look at tokens without serving: fetched as `run` would, once.
#pragma once

#include <boost/asio/io_context.hpp>

#include "app/config_source.hpp"
#include "app/key_keeper.hpp"

namespace signet::app::cli {

class OfflineKeys {
  public:
    OfflineKeys(const LoadedConfig& loaded, telemetry::Log& log) : keeper_(context_, log, [] {}) {
        keeper_.fetch_through(loaded.prepared.key_proxies);
        keeper_.configure(loaded.configuration.keys, loaded.prepared.key_sets);
    }
    // Fetches what is to be fetched; returns when every issuer has an outcome.
    const KeyKeeper& fetch() {
        keeper_.tick(std::chrono::steady_clock::now());
        const auto until = std::chrono::steady_clock::now() + seconds(20);
        while (!keeper_.settled() && std::chrono::steady_clock::now() < until) {
            context_.restart();
            context_.run_one_for(milliseconds(100));
        }
        return keeper_;
    }

  private:
    boost::asio::io_context context_;
    KeyKeeper keeper_;
};

}  // namespace signet::app::cli
