// A first line that describes what is required, and a payload: how the rules hang together, whatever they
// compare, and that they find what a plain reading of the payload finds.
//   {"claim":"realm.roles","values":["a",1],"pattern":"a.*","scopes":["read"],"acr":["phr"],"max_age":60}
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/json_writer.hpp"
#include "fuzz/fuzz.hpp"
#include "policy/decide.hpp"

using namespace signet;
using namespace signet::fuzz;
using policy::ClaimRule;
using Kind = ClaimRule::Kind;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;
constexpr WallTime now{milliseconds{now_s * 1000}};
constexpr milliseconds skew{30'000};

std::string written(const json::Value& v, bool ascii = false) {
    std::string out;
    v.write(out, ascii);
    return out;
}

// Exact: a long double holds every int64, uint64 and double.
long double exactly(const json::Value& number) {
    static_assert(std::numeric_limits<long double>::digits >= 64);
    return number.is(json::Type::number) ? static_cast<long double>(*number.number())
                                         : std::strtold(written(number).c_str(), nullptr);
}

bool same(const json::Value& a, const json::Value& b) {
    if (a.is_number() && b.is_number()) return exactly(a) == exactly(b);
    if (a.type() != b.type() || a.size() != b.size()) return false;
    if (a.is_array()) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (!same(*a.at(i), *b.at(i))) return false;
        return true;
    }
    if (!a.is_object()) return a.string() == b.string() && a.boolean() == b.boolean();
    std::size_t found = 0;
    a.each_member([&](std::string_view name, const json::Value& one) {
        b.each_member([&](std::string_view other, const json::Value& two) {
            found += name == other && same(one, two) ? 1 : 0;
            return true;
        });
        return true;
    });
    return found == a.size();
}

std::optional<json::Value> step(const json::Value& v, const std::string& name) {
    std::optional<json::Value> out;
    v.each_member([&](std::string_view member, const json::Value& child) {
        if (member == name) out = child;
        return true;
    });
    for (std::size_t i = 0; v.is_array() && i < v.size(); ++i)
        if (std::to_string(i) == name) out = v.at(i);
    return out;
}

std::optional<json::Value> walk(std::optional<json::Value> v, std::string_view path, char separator) {
    while (v) {
        const auto end = path.find(separator);
        std::string name(path.substr(0, end));
        // RFC 6901 §4: ~1 first, so that ~01 is ~1.
        for (const auto& [mark, meant] : {std::pair("~1", "/"), std::pair("~0", "~")})
            for (auto at = name.find(mark); separator == '/' && at != std::string::npos;
                 at = name.find(mark, at + 1))
                name.replace(at, 2, meant);
        v = step(*v, name);
        if (end == std::string_view::npos) break;
        path.remove_prefix(end + 1);
    }
    return v;
}

std::optional<json::Value> find_by_hand(const json::Value& payload, std::string_view path) {
    if (path.starts_with('/')) return walk(payload, path.substr(1), '/');
    if (const auto literal = step(payload, std::string(path))) return literal;
    return walk(payload, path, '.');
}

bool contains(const json::Value& claim, const json::Value& wanted) {
    bool found = same(claim, wanted);
    for (std::size_t i = 0; claim.is_array() && i < claim.size(); ++i)
        found = found || same(*claim.at(i), wanted);
    return found;
}

bool names_scope(const json::Value& payload, const std::string& scope) {
    bool found = false;
    for (const char* name : {"scope", "scp"}) {
        const auto claim = payload.find(name);
        const auto text = claim ? claim->string() : std::nullopt;
        if (text)
            found = found || (" " + std::string(*text) + " ").find(" " + scope + " ") != std::string::npos;
        for (std::size_t i = 0; claim && claim->is_array() && i < claim->size(); ++i)
            found = found || claim->at(i)->string() == scope;
    }
    return found;
}

std::vector<std::string> words_in(const json::Value& description, const char* name) {
    std::vector<std::string> out;
    if (const auto list = description.find(name))
        list->each_element([&](const json::Value& v) {
            // As the configuration has them: not empty, and without spaces.
            const auto text = v.string().value_or("");
            if (!text.empty() && text.find(' ') == std::string_view::npos) out.emplace_back(text);
            return out.size() < 8;
        });
    return out;
}

bool passes(const policy::Requirement& requirement, const json::Value& payload) {
    const auto wrong = requirement.check(payload, now, skew);
    policy::Route route;
    route.require = requirement;
    policy::IssuerRules rules;
    rules.clock_skew = skew;
    const auto decided = policy::decide(payload, 0, rules, route, now);
    FUZZ_ASSERT(decided.has_value() == wrong.has_value());
    if (!wrong) return true;
    FUZZ_ASSERT(decided->reason == wrong->reason && decided->detail == wrong->detail);
    FUZZ_ASSERT(!wrong->detail.empty());
    FUZZ_ASSERT(wrong->scope.empty() == (wrong->reason != Reason::scope_insufficient));
    FUZZ_ASSERT(wrong->authentication.empty() == (wrong->reason != Reason::insufficient_user_authentication));
    FUZZ_ASSERT(info(wrong->reason).status == 403 || info(wrong->reason).status == 401);
    return false;
}

struct Rules {
    policy::ClaimPath claim;
    std::vector<policy::JsonConstant> values;
    std::optional<policy::Pattern> pattern;

    [[nodiscard]] ClaimRule make(Kind kind) const {
        return {claim, kind, values, kind == Kind::pattern ? pattern : std::nullopt};
    }
    [[nodiscard]] ClaimRule equals(std::size_t i) const { return {claim, Kind::equals, {values[i]}, {}}; }
    [[nodiscard]] bool holds(Kind kind, const json::Value& payload) const {
        const auto rule = make(kind);
        FUZZ_ASSERT(rule.describe().starts_with(claim.text() + " "));
        const bool held = rule.holds(payload);
        FUZZ_ASSERT(held == rule.holds(payload));
        return held;
    }
};

void check_rules(const Rules& rules, const json::Value& payload) {
    const auto found = find_by_hand(payload, rules.claim.text());
    const auto by_path = rules.claim.find(payload);
    FUZZ_ASSERT(found.has_value() == by_path.has_value() && (!found || same(*found, *by_path)));
    FUZZ_ASSERT(rules.holds(Kind::exists, payload) == found.has_value());
    FUZZ_ASSERT(rules.holds(Kind::absent, payload) == !found.has_value());
    bool any = false, all = found.has_value();
    for (std::size_t i = 0; i < rules.values.size(); ++i) {
        const bool held = rules.equals(i).holds(payload);
        FUZZ_ASSERT(held == (found && contains(*found, rules.values[i].value())));
        any = any || held;
        all = all && held;
    }
    FUZZ_ASSERT(rules.holds(Kind::any_of, payload) == any);
    FUZZ_ASSERT(rules.holds(Kind::all_of, payload) == all);
    FUZZ_ASSERT(rules.holds(Kind::none_of, payload) == !any);
    FUZZ_ASSERT(!all || any || rules.values.empty());
    if (!rules.pattern) return;
    bool matches = found && found->string() && rules.pattern->matches(*found->string());
    for (std::size_t i = 0; found && found->is_array() && i < found->size(); ++i)
        if (const auto text = found->at(i)->string()) matches = matches || rules.pattern->matches(*text);
    FUZZ_ASSERT(rules.holds(Kind::pattern, payload) == matches);
    // A pattern of letters alone matches itself and nothing else.
    const auto pattern = rules.pattern->text();
    const bool plain =
        std::all_of(pattern.begin(), pattern.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (plain && found && found->string()) FUZZ_ASSERT(matches == (*found->string() == pattern));
}

// Each alternative needs all of its parts; of a requirement's alternatives one is enough.
void check_combinations(const std::vector<policy::Alternative>& parts, const json::Value& payload) {
    std::vector<bool> alone;
    for (const auto& part : parts) alone.push_back(passes({{part}}, payload));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        for (std::size_t j = 0; j < parts.size(); ++j) {
            FUZZ_ASSERT(passes({{parts[i], parts[j]}}, payload) == (alone[i] || alone[j]));
            auto both = parts[i];
            both.scopes.insert(both.scopes.end(), parts[j].scopes.begin(), parts[j].scopes.end());
            both.claims.insert(both.claims.end(), parts[j].claims.begin(), parts[j].claims.end());
            if (both.authentication.empty()) both.authentication = parts[j].authentication;
            FUZZ_ASSERT(passes({{both}}, payload) == (alone[i] && alone[j]));
        }
    }
    FUZZ_ASSERT(passes({}, payload));
}

void check_authentication(const policy::Authentication& wanted, const json::Value& payload) {
    if (wanted.empty()) return;
    const auto acr = payload.find("acr"), at = payload.find("auth_time");
    bool good = wanted.acr_values.empty();
    for (const auto& value : wanted.acr_values) good = good || (acr && acr->string() == value);
    bool near_the_edge = false;
    if (wanted.max_age) {
        const auto time = at ? at->number() : std::nullopt;
        const double ago = static_cast<double>(now_s) - time.value_or(-1);
        const double oldest = static_cast<double>(wanted.max_age->count()) + 30;
        near_the_edge = std::abs(ago + 30) < 0.001 || std::abs(ago - oldest) < 0.001;
        good = good && time && *time >= 0 && ago >= -30 && ago <= oldest;
    }
    policy::Alternative alternative;
    alternative.authentication = wanted;
    FUZZ_ASSERT(near_the_edge || passes({{alternative}}, payload) == good);
    FUZZ_ASSERT(policy::Requirement{{alternative}}.depends_on_time() == wanted.max_age.has_value());
}

std::string backwards(const json::Value& payload) {
    std::string out;
    payload.each_member([&](std::string_view name, const json::Value& v) {
        std::string member;
        json::write_string(member, name, true);
        out = member + ":" + written(v, true) + (out.empty() ? "" : ",") + out;
        return true;
    });
    return "{" + out + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return 0;
    const Exact first(text.substr(0, end)), second(text.substr(end + 1));
    json::Document descriptions, payloads, reversed;
    const auto description = descriptions.parse(first.view());
    const auto payload = payloads.parse(second.view());
    if (!description || !description->is_object() || !payload || !payload->is_object()) return 0;

    const auto name = description->find("claim");
    auto claim = policy::ClaimPath::parse(name ? name->string().value_or("") : "");
    if (!claim) return 0;
    Rules rules{std::move(*claim), {}, {}};
    if (const auto list = description->find("values"))
        list->each_element([&](const json::Value& v) {
            auto value = policy::JsonConstant::parse(written(v));
            FUZZ_ASSERT(value && same(value->value(), v));
            rules.values.push_back(std::move(*value));
            return rules.values.size() < 8;
        });
    const auto expression = description->find("pattern");
    if (expression && expression->string() && expression->string()->size() < 64)
        if (auto pattern = policy::Pattern::parse(*expression->string())) rules.pattern = std::move(*pattern);

    std::vector<policy::Alternative> parts(3);
    parts[0].scopes = words_in(*description, "scopes");
    bool scoped = true;
    for (const auto& scope : parts[0].scopes) {
        FUZZ_ASSERT(policy::has_scope(*payload, scope) == names_scope(*payload, scope));
        scoped = scoped && names_scope(*payload, scope);
    }
    FUZZ_ASSERT(passes({{parts[0]}}, *payload) == scoped);
    auto& authentication = parts[1].authentication;
    authentication.acr_values = words_in(*description, "acr");
    const auto age = description->find("max_age");
    const auto age_s = age ? age->integer().value_or(0) : 0;
    if (age_s > 0 && age_s < (std::int64_t{1} << 31)) authentication.max_age = seconds{age_s};
    check_authentication(authentication, *payload);
    check_rules(rules, *payload);

    parts[2].claims = {rules.make(Kind::any_of)};
    for (const auto kind : {Kind::all_of, Kind::none_of, Kind::exists, Kind::absent, Kind::pattern}) {
        if (kind == Kind::pattern && !rules.pattern) continue;
        parts.emplace_back().claims = {rules.make(kind)};
    }
    check_combinations(parts, *payload);

    // Written anew, the last member first, it is the same payload.
    const auto again = reversed.parse(backwards(*payload));
    FUZZ_ASSERT(again && same(*again, *payload));
    for (const auto& part : parts) FUZZ_ASSERT(passes({{part}}, *again) == passes({{part}}, *payload));
    return 0;
}
