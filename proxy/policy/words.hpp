// Lists of words as OAuth writes them. Private to the room.
#pragma once

#include <string>
#include <vector>

namespace signet::policy {

inline std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& w : words) out.append(out.empty() ? "" : " ").append(w);
    return out;
}

}  // namespace signet::policy
