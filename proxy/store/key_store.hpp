// The last good keys of each issuer, in files below the state directory. The control thread's.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "keys/kept_keys.hpp"

namespace signet::store {

class KeyStore {
  public:
    // Nothing is touched before the first write.
    explicit KeyStore(const std::string& state_dir) : directory_(state_dir + "/keys") {}

    // What is kept for this source; nullopt: nothing. A Fault names the file and says why it is not used:
    // what keys/kept_keys.hpp refuses, and a file that anybody but this user (or root) owns or may write,
    // since whoever writes keys writes tokens.
    [[nodiscard]] result<std::optional<keys::KeptKeys>> read(const keys::Settings& settings,
                                                             WallTime now) const;

    // By rename, after fsync: whoever reads sees the old file or the new one, also after a power cut.
    [[nodiscard]] std::optional<Fault> write(const keys::Settings& settings,
                                             const keys::KeptKeys& kept) const;

  private:
    std::string directory_;
};

}  // namespace signet::store
