// How a failed assertion shows our own types.
#pragma once

#include <catch2/catch.hpp>

#include "base/reason.hpp"
#include "base/result.hpp"

namespace Catch {

template <class T, class E>
struct StringMaker<boost::system::result<T, E>> {
    static std::string convert(const boost::system::result<T, E>& r) {
        return r ? "a value" : fault_text(r.error());
    }

  private:
    static std::string fault_text(const signet::Fault& f) { return "fault: " + f.message; }
    template <class Other>
    static std::string fault_text(const Other&) {
        return "an error";
    }
};

template <>
struct StringMaker<signet::Reason> {
    static std::string convert(signet::Reason r) { return std::string(signet::word(r)); }
};

}  // namespace Catch
