#include "revocation/ledger.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "revocation/memory_source.hpp"
#include "unit/support/printing.hpp"

namespace signet::revocation {
namespace {

using namespace std::literals;

constexpr WallTime now{milliseconds{1'700'000'000'000}};

Entry entry(std::string value, std::optional<WallTime> issued_before = {},
            std::optional<WallTime> expires_at = {}) {
    return {{Kind::jti, "https://idp", std::move(value)}, issued_before, expires_at, "", now};
}

// A source that can be away.
class Shaky final : public Source {
  public:
    result<Entry> put(const Entry& e, WallTime ended) override {
        return away ? result<Entry>(fault("away")) : memory.put(e, ended);
    }
    result<std::optional<Entry>> remove(std::string_view id) override {
        return away ? result<std::optional<Entry>>(fault("away")) : memory.remove(id);
    }
    result<std::vector<Entry>> list(std::string_view after, std::size_t limit) override {
        return away ? result<std::vector<Entry>>(fault("away")) : memory.list(after, limit);
    }
    result<std::size_t> remove_ended(WallTime at, std::size_t limit) override {
        return away ? result<std::size_t>(fault("away")) : memory.remove_ended(at, limit);
    }
    [[nodiscard]] std::string_view name() const override { return "shaky"; }

    MemorySource memory;
    bool away = false;
};

struct Fixture {
    explicit Fixture(seconds skew = seconds{30}) : index({1, 2}), reader(index) {
        auto owned = std::make_unique<Shaky>();
        source = owned.get();
        ledger = std::make_unique<Ledger>(index, std::move(owned), skew);
    }
    void sweep_all(WallTime at) {
        for (bool more = true; more;) more = ledger->sweep(at).value();
    }
    bool revoked(const std::string& value, WallTime at = now, std::optional<WallTime> issued = {}) {
        const auto t = index.hash(Kind::jti, "https://idp", value);
        return reader.is_revoked(&t, &t + 1, issued, at);
    }
    Index index;
    Index::Reader reader;
    Shaky* source;
    std::unique_ptr<Ledger> ledger;
};

TEST_CASE("what was acknowledged is asked at once") {
    Fixture f;
    const auto kept = f.ledger->put(entry("a"), now);
    REQUIRE(kept);
    CHECK(kept->target.value == "a");
    CHECK(f.revoked("a"));
    CHECK_FALSE(f.revoked("b"));
    CHECK(f.ledger->size() == 1);
    CHECK(f.ledger->store_name() == "shaky");
}

TEST_CASE("while the store is away nothing is applied and nothing is lost") {
    Fixture f;
    REQUIRE(f.ledger->put(entry("a"), now));
    f.source->away = true;
    CHECK_FALSE(f.ledger->put(entry("b"), now));
    CHECK_FALSE(f.revoked("b"));
    CHECK_FALSE(f.ledger->remove(entry("a").target.id()));
    CHECK(f.revoked("a"));
    CHECK_FALSE(f.ledger->list("", 10));
    CHECK_FALSE(f.ledger->load(now));
    CHECK(f.revoked("a"));
}

TEST_CASE("an entry holds until its end plus the skew") {
    Fixture f(seconds{30});
    REQUIRE(f.ledger->put(entry("a", {}, now + seconds{10}), now));
    CHECK(f.revoked("a", now + seconds{39}));
    CHECK_FALSE(f.revoked("a", now + seconds{40}));
    f.sweep_all(now + seconds{39});
    CHECK(f.ledger->list("", 10)->size() == 1);
    f.sweep_all(now + seconds{41});
    CHECK(f.ledger->list("", 10)->empty());
    CHECK(f.ledger->size() == 0);
}

TEST_CASE("a larger skew after a reload reaches entries already known, a smaller one shortens none") {
    Fixture f(seconds{0});
    REQUIRE(f.ledger->put(entry("a", {}, now + seconds{10}), now));
    CHECK_FALSE(f.revoked("a", now + seconds{20}));
    f.ledger->set_skew(seconds{60});
    CHECK(f.revoked("a", now + seconds{69}));
    f.ledger->set_skew(seconds{5});
    REQUIRE(f.ledger->put(entry("b", {}, now + seconds{10}), now));
    CHECK(f.revoked("a", now + seconds{69}));
    CHECK(f.revoked("b", now + seconds{69}));
}

TEST_CASE("a second entry for one target never weakens the first") {
    Fixture f(seconds{0});
    REQUIRE(f.ledger->put(entry("a"), now));
    const auto merged = f.ledger->put(entry("a", now - seconds{100}, now + seconds{1}), now);
    REQUIRE(merged);
    CHECK_FALSE(merged->issued_before);
    CHECK_FALSE(merged->expires_at);
    CHECK(f.revoked("a", now + seconds{1000}, now));
    CHECK(f.ledger->list("", 10)->size() == 1);
}

TEST_CASE("removing gives the entry back, once") {
    Fixture f;
    REQUIRE(f.ledger->put(entry("a"), now));
    const auto removed = f.ledger->remove(entry("a").target.id());
    REQUIRE(removed);
    REQUIRE(*removed);
    CHECK((*removed)->target.value == "a");
    CHECK_FALSE(f.revoked("a"));
    const auto again = f.ledger->remove(entry("a").target.id());
    REQUIRE(again);
    CHECK_FALSE(*again);
    CHECK_FALSE(*f.ledger->remove("no such id"));
}

TEST_CASE("loading fills a new index from the store, and leaves out what has ended") {
    Fixture f(seconds{30});
    REQUIRE(f.source->memory.put(entry("open"), now));
    REQUIRE(f.source->memory.put(entry("later", {}, now + seconds{10}), now));
    REQUIRE(f.source->memory.put(entry("just ended", {}, now - seconds{29}), now));
    REQUIRE(f.source->memory.put(entry("long ended", {}, now - seconds{31}), now));
    const auto count = f.ledger->load(now);
    REQUIRE(count);
    CHECK(*count == 3);
    CHECK(f.revoked("open"));
    CHECK(f.revoked("later"));
    CHECK(f.revoked("just ended"));
    CHECK_FALSE(f.revoked("long ended"));
}

TEST_CASE("more than one page is loaded whole") {
    Fixture f;
    constexpr int count = 25'000;
    for (int i = 0; i < count; ++i) REQUIRE(f.source->memory.put(entry(std::to_string(i)), now));
    CHECK(*f.ledger->load(now) == count);
    CHECK(f.ledger->size() == count);
    CHECK(f.revoked("0"));
    CHECK(f.revoked("24999"));
}

TEST_CASE("listing goes page by page in the order of ids, each entry once") {
    Fixture f;
    for (int i = 0; i < 25; ++i) REQUIRE(f.ledger->put(entry(std::to_string(i)), now));
    std::string after;
    std::size_t seen = 0;
    while (true) {
        const auto page = f.ledger->list(after, 10);
        REQUIRE(page);
        if (page->empty()) break;
        CHECK(page->size() <= 10);
        for (const auto& e : *page) {
            CHECK(e.target.id() > after);
            after = e.target.id();
            ++seen;
        }
    }
    CHECK(seen == 25);
}

TEST_CASE("an entry that has ended leaves no trace in one that comes after it, swept or not") {
    for (const bool swept : {true, false}) {
        Fixture f(seconds{30});
        REQUIRE(f.ledger->put(entry("a", {}, now + seconds{10}), now));
        // A day later: tokens from before that day only.
        const auto later = now + seconds{86'400};
        if (swept) f.sweep_all(later);
        const auto kept = f.ledger->put(entry("a", later, {}), later);
        CAPTURE(swept);
        REQUIRE(kept);
        CHECK(kept->issued_before == later);
        CHECK(f.revoked("a", later, later - seconds{1}));
        CHECK_FALSE(f.revoked("a", later, later + seconds{1}));
        CHECK(f.ledger->size() == 1);
    }
}

TEST_CASE("an entry inside its skew has not ended: it still lends its strength") {
    Fixture f(seconds{30});
    REQUIRE(f.ledger->put(entry("a", {}, now + seconds{10}), now));
    const auto at = now + seconds{39};
    const auto kept = f.ledger->put(entry("a", at, {}), at);
    REQUIRE(kept);
    CHECK_FALSE(kept->issued_before);
    CHECK(f.revoked("a", at, at + seconds{1}));
}

TEST_CASE("a sweep takes a little at a time, and comes to its end") {
    Fixture f(seconds{0});
    for (int i = 0; i < 2'500; ++i)
        REQUIRE(f.ledger->put(entry(std::to_string(i), {}, now + seconds{i < 2'400 ? 1 : 100}), now));
    const auto later = now + seconds{50};
    CHECK(f.ledger->sweep(later).value());
    CHECK(f.ledger->size() > 2'000);
    CHECK(f.ledger->list("", 10'000)->size() == 1'500);
    f.sweep_all(later);
    CHECK(f.ledger->size() == 100);
    CHECK(f.ledger->list("", 10'000)->size() == 100);
}

TEST_CASE("the memory store keeps what it was given, by id") {
    MemorySource memory;
    CHECK(memory.name() == "memory");
    REQUIRE(memory.put(entry("a", now, now + seconds{5}), now));
    const auto listed = memory.list("", 10);
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK((*listed)[0].issued_before == now);
    CHECK(*memory.remove_ended(now + seconds{5}, 10) == 0);
    CHECK(*memory.remove_ended(now + seconds{6}, 10) == 1);
    CHECK(memory.list("", 10)->empty());
}

}  // namespace
}  // namespace signet::revocation
