// A small HTTP server for the admin and health listeners, by Beast, on the control thread. It knows no
// endpoint: it hands requests to a handler and writes what comes back.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "base/plain_http.hpp"
#include "base/result.hpp"
#include "net/settings.hpp"

namespace signet::net {

class ControlServer {
  public:
    // max_body: bytes that a request may bring along.
    ControlServer(boost::asio::io_context& context, PlainHandler handler, std::size_t max_body);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;

    // A name is looked up, and its first address is taken. Port 0: chosen by the system. Returns where it
    // listens.
    result<Address> listen(const Address& address);
    void stop();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace signet::net
