// Expected failures are values. E is the room's own small error enum or struct.
#pragma once

#include <boost/system/result.hpp>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>

namespace signet {

// A sentence for the person who has to mend the input: what is wrong and what to do.
struct Fault {
    std::string message;

    // With a tag: a result<std::string> must not take a string for a Fault.
    struct Tag {};
    Fault() = default;
    Fault(Tag, std::string text) : message(std::move(text)) {}
};

template <class T, class E = Fault>
using result = boost::system::result<T, E>;

inline Fault fault(std::string message) { return {Fault::Tag{}, std::move(message)}; }

// Called by result::value() on an error; a caller that has not asked first has a bug.
[[noreturn]] inline void throw_exception_from_error(const Fault& f, const boost::source_location&) {
    throw std::runtime_error(f.message);
}

}  // namespace signet
