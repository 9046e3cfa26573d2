#include "net/name_lookup.hpp"

namespace signet::net {
namespace {

constexpr seconds kept{5};

}  // namespace

NameLookup::NameLookup(boost::asio::io_context& context, std::string host, std::uint16_t port)
    : host_(std::move(host)), port_(std::to_string(port)), state_(std::make_shared<State>(context)) {}

void NameLookup::ask() {
    state_->under_way = true;
    state_->resolver.async_resolve(
        host_, port_,
        [state = state_](boost::system::error_code error,
                         const boost::asio::ip::tcp::resolver::results_type& results) {
            state->under_way = false;
            state->error = error;
            state->found.clear();
            for (const auto& entry : results) {
                const auto at = entry.endpoint();
                state->found.emplace_back(at.data(), static_cast<socklen_t>(at.size()));
            }
            state->good_until = error ? SteadyTime{} : std::chrono::steady_clock::now() + kept;
            for (auto* const news : state->waiting) news->set();
        });
}

Task<boost::system::error_code> NameLookup::addresses(std::vector<SocketAddress>& out, Event& news,
                                                      const bool& given_up) {
    const auto state = state_;
    boost::system::error_code error;
    if (std::chrono::steady_clock::now() >= state->good_until) {
        if (!state->under_way) ask();
        const auto place = state->waiting.insert(state->waiting.end(), &news);
        co_await news;
        state->waiting.erase(place);
        if (given_up) co_return boost::asio::error::timed_out;
        error = state->error;
    }
    out = state->found;
    co_return error;
}

void NameLookup::forget() { state_->good_until = {}; }

}  // namespace signet::net
