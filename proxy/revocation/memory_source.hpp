// Revocations of this process's life only.
#pragma once

#include <map>

#include "revocation/source.hpp"

namespace signet::revocation {

class MemorySource final : public Source {
  public:
    result<Entry> put(const Entry& entry, WallTime ended_before) override;
    result<std::optional<Entry>> remove(std::string_view id) override;
    result<std::vector<Entry>> list(std::string_view after, std::size_t limit) override;
    result<std::size_t> remove_ended(WallTime now, std::size_t limit) override;
    [[nodiscard]] std::string_view name() const override { return "memory"; }

  private:
    std::map<std::string, Entry, std::less<>> entries_;  // by id
};

}  // namespace signet::revocation
