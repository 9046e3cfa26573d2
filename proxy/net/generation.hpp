// Everything that the workers judge and forward by at one moment. Immutable; a new one is posted when
// anything changes.
#pragma once

#include <memory>

#include "gate/gate.hpp"
#include "net/settings.hpp"
#include "net/tls.hpp"

namespace signet::net {

struct Generation {
    std::shared_ptr<const gate::Rules> rules;
    gate::Keys keys;
    std::shared_ptr<const Settings> settings;
    TlsContext listener_tls;               // null: plain
    std::vector<TlsContext> upstream_tls;  // by upstream index; null: plain
};

using GenerationPtr = std::shared_ptr<const Generation>;

}  // namespace signet::net
