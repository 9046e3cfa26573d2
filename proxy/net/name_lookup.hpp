// The addresses of one host name, asked of the system's resolver, which may take its time: one look-up is
// under way at a time, what it found is good for a few seconds, and who waits may give up without it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/address.hpp"
#include "net/poller.hpp"
#include "net/task.hpp"

namespace signet::net {

class NameLookup {
  public:
    // One worker's; context is that worker's.
    NameLookup(boost::asio::io_context& context, std::string host, std::uint16_t port);

    // Waits for addresses, or until somebody sets news with given_up true.
    Task<boost::system::error_code> addresses(std::vector<SocketAddress>& out, Event& news,
                                              const bool& given_up);
    // None of them could be reached: ask again the next time.
    void forget();

  private:
    // Kept by the look-up too, which nobody can end: it may come back to a pool that is gone.
    struct State {
        explicit State(boost::asio::io_context& context) : resolver(context) {}
        boost::asio::ip::tcp::resolver resolver;
        bool under_way = false;
        boost::system::error_code error;
        std::vector<SocketAddress> found;
        SteadyTime good_until{};
        std::list<Event*> waiting;
    };
    void ask();

    std::string host_;
    std::string port_;
    std::shared_ptr<State> state_;
};

}  // namespace signet::net
