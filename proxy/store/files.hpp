// Files that the configuration names: read whole, and noticed when they change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace signet::store {

// At most `limit` bytes; a Fault names the file and what is wrong.
result<std::string> read_file(const std::string& path, std::size_t limit = 1024 * 1024);

// Sees a file's change by its identity, size and time, through symbolic links: a rename over it and
// Kubernetes' ..data switch show as another file. Asked from time to time, so it works on every kind of
// mount.
class FileWatch {
  public:
    explicit FileWatch(std::vector<std::string> paths);
    // Has any of them changed since the last call?
    bool changed();

  private:
    struct Seen {
        std::uint64_t device = 0, inode = 0, size = 0;
        std::int64_t changed_ns = 0;
        friend bool operator==(const Seen&, const Seen&) = default;
    };
    static Seen look(const std::string& path);
    std::vector<std::string> paths_;
    std::vector<Seen> seen_;
};

}  // namespace signet::store
