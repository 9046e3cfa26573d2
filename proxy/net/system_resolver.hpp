// Asks the system's resolver for key fetches, on threads of their own: a look-up may take half a minute and
// cannot be stopped, and one that hangs must not hold up another issuer's, nor the end of the process.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace signet::net {

class SystemResolver {
  public:
    using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;

    // Waits no longer than `until`; who gives up leaves the look-up to whoever asks for the name next. An IP
    // address needs no look-up. One thread's; the resolver outlives the coroutine.
    boost::asio::awaitable<result<Addresses>> resolve(std::string host, std::uint16_t port, SteadyTime until);

  private:
    struct LookUp;
    std::map<std::string, std::shared_ptr<LookUp>>
        look_ups_;  // by host: under way, or ended and not fetched yet
};

}  // namespace signet::net
