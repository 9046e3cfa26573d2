#include "revocation/index.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace signet::revocation {
namespace {

using namespace std::literals;

constexpr WallTime now{milliseconds{1'700'000'000'000}};

TargetHash target(const Index& index, int i) {
    return index.hash(Kind::jti, "https://idp", "t" + std::to_string(i));
}

bool is_revoked(Index::Reader& reader, const TargetHash& t, std::optional<WallTime> issued = {},
                WallTime at = now) {
    return reader.is_revoked(&t, &t + 1, issued, at);
}

TEST_CASE("what was put is revoked, what was not is not") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto a = target(index, 1), b = target(index, 2), c = target(index, 3);
    CHECK_FALSE(is_revoked(reader, a));
    index.put(a, {}, {});
    CHECK(is_revoked(reader, a));
    CHECK(is_revoked(reader, a, now));
    CHECK_FALSE(is_revoked(reader, b));
    CHECK(index.size() == 1);
    const TargetHash several[] = {b, c, a};
    CHECK(reader.is_revoked(several, several + 3, now, now));
    CHECK_FALSE(reader.is_revoked(several, several + 2, now, now));
    CHECK_FALSE(reader.is_revoked(several, several, now, now));
}

TEST_CASE("an entry ends at its end") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto t = target(index, 1);
    index.put(t, {}, now + seconds{10});
    CHECK(is_revoked(reader, t, {}, now));
    CHECK(is_revoked(reader, t, {}, now + milliseconds{9'999}));
    CHECK_FALSE(is_revoked(reader, t, {}, now + milliseconds{10'000}));
}

TEST_CASE("with issued_before later tokens stay good, tokens without iat do not") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto t = target(index, 1);
    index.put(t, now, {});
    CHECK(is_revoked(reader, t, now - milliseconds{1}));
    CHECK(is_revoked(reader, t, now));
    CHECK_FALSE(is_revoked(reader, t, now + milliseconds{1}));
    CHECK(is_revoked(reader, t, std::nullopt));
}

TEST_CASE("putting again never weakens") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto t = target(index, 1);
    index.put(t, {}, now + seconds{100});
    index.put(t, now - seconds{50}, now + seconds{10});
    CHECK(is_revoked(reader, t, now, now + seconds{99}));
    index.put(t, now - seconds{50}, {});
    CHECK(is_revoked(reader, t, now, now + seconds{1'000'000}));
    CHECK(index.size() == 1);
}

TEST_CASE("removing revokes no longer, and what comes after begins anew") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto t = target(index, 1);
    index.put(t, {}, {});
    index.remove(t);
    CHECK_FALSE(is_revoked(reader, t));
    CHECK(index.size() == 0);
    index.remove(t);
    index.remove(target(index, 2));
    CHECK(index.size() == 0);
    index.put(t, now, now + seconds{10});
    CHECK(index.size() == 1);
    CHECK_FALSE(is_revoked(reader, t, now + seconds{1}));
    CHECK_FALSE(is_revoked(reader, t, now, now + seconds{10}));
    CHECK(is_revoked(reader, t, now));
}

TEST_CASE("ending takes out what has ended by then, and nothing that has not") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto ended = target(index, 1), running = target(index, 2), open = target(index, 3);
    index.put(ended, {}, now);
    index.put(running, {}, now + milliseconds{1});
    index.put(open, {}, {});
    for (const auto& t : {ended, running, open, target(index, 4)}) index.end(t, now);
    CHECK(index.size() == 2);
    CHECK(is_revoked(reader, running));
    CHECK(is_revoked(reader, open));
    index.put(ended, now, {});
    CHECK_FALSE(is_revoked(reader, ended, now + seconds{1}));
}

TEST_CASE("a sweep forgets what has ended and nothing else") {
    Index index({1, 2});
    Index::Reader reader(index);
    for (int i = 0; i < 100; ++i)
        index.put(target(index, i), {}, i % 2 == 0 ? std::optional(now + seconds{i}) : std::nullopt);
    CHECK(index.size() == 100);
    index.sweep(now + seconds{50});
    CHECK(index.size() == 74);  // 0, 2, … 50 have ended
    for (int i = 0; i < 100; ++i) {
        CAPTURE(i);
        CHECK(is_revoked(reader, target(index, i), {}, now + seconds{50}) == (i % 2 == 1 || i > 50));
    }
    index.sweep(now + seconds{1'000});
    CHECK(index.size() == 50);
}

TEST_CASE("an end at the very beginning of time is one like any other") {
    Index index({1, 2});
    Index::Reader reader(index);
    const auto t = target(index, 1);
    for (int i = 0; i < 3; ++i) index.put(t, {}, WallTime{});
    CHECK_FALSE(is_revoked(reader, t));
    CHECK(index.size() <= 1);
    index.sweep(now);
    CHECK(index.size() == 0);
}

TEST_CASE("it grows without losing an entry, and shrinks again") {
    Index index({3, 4});
    Index::Reader reader(index);
    constexpr int count = 50'000;
    for (int i = 0; i < count; ++i) {
        index.put(target(index, i), {}, i < count - 100 ? std::optional(now + seconds{1}) : std::nullopt);
        if (i % 1000 == 0) index.sweep(now);
    }
    CHECK(index.size() == count);
    int lost = 0, invented = 0;
    for (int i = 0; i < count; ++i) lost += is_revoked(reader, target(index, i)) ? 0 : 1;
    for (int i = count; i < 2 * count; ++i) invented += is_revoked(reader, target(index, i)) ? 1 : 0;
    CHECK(lost == 0);
    CHECK(invented == 0);
    index.sweep(now + seconds{2});
    CHECK(index.size() == 100);
    for (int i = count - 100; i < count; ++i) lost += is_revoked(reader, target(index, i)) ? 0 : 1;
    CHECK(lost == 0);
    CHECK_FALSE(is_revoked(reader, target(index, 0)));
}

TEST_CASE("putting and removing for ever does not fill it") {
    Index index({5, 6});
    Index::Reader reader(index);
    for (int i = 0; i < 20'000; ++i) {
        index.put(target(index, i), {}, {});
        index.remove(target(index, i));
    }
    CHECK(index.size() == 0);
    index.put(target(index, 7), {}, {});
    CHECK(is_revoked(reader, target(index, 7)));
    CHECK_FALSE(is_revoked(reader, target(index, 8)));
}

TEST_CASE("it agrees with a plain map over a long random run") {
    struct Plain {
        std::optional<WallTime> issued_before, ends;
        bool there = false;
    };
    std::mt19937 random(7);
    Index index({8, 9});
    Index::Reader reader(index);
    std::vector<Plain> plain(300);
    auto at = now;
    for (int step = 0; step < 30'000; ++step) {
        const auto i = random() % plain.size();
        auto& p = plain[i];
        const auto t = target(index, static_cast<int>(i));
        switch (random() % 8) {
            case 0:
            case 1: {
                const auto before =
                    random() % 2 == 0 ? std::nullopt : std::optional(at - seconds{random() % 100});
                const auto ends =
                    random() % 4 == 0 ? std::nullopt : std::optional(at + seconds{1 + random() % 50});
                if (p.there) {
                    p.issued_before = p.issued_before && before
                                          ? std::optional(std::max(*p.issued_before, *before))
                                          : std::nullopt;
                    p.ends = p.ends && ends ? std::optional(std::max(*p.ends, *ends)) : std::nullopt;
                } else {
                    p = {before, ends, true};
                }
                index.put(t, before, ends);
                break;
            }
            case 2:
                index.remove(t);
                p = {};
                break;
            case 3:
                at += seconds{random() % 5};
                index.sweep(at);
                for (auto& x : plain)
                    if (x.there && x.ends && *x.ends <= at) x = {};
                break;
            default: {
                const auto issued =
                    random() % 8 == 0 ? std::nullopt : std::optional(at - seconds{random() % 100});
                const bool expected = p.there && (!p.ends || *p.ends > at) &&
                                      (!p.issued_before || !issued || *issued <= *p.issued_before);
                if (is_revoked(reader, t, issued, at) != expected) {
                    CAPTURE(step, i, expected);
                    FAIL_CHECK("it disagrees");
                }
            }
        }
    }
    const auto there = std::count_if(plain.begin(), plain.end(), [](const Plain& p) { return p.there; });
    CHECK(index.size() == static_cast<std::size_t>(there));
}

TEST_CASE("kind, issuer and value are kept apart in the hash, and the seed counts") {
    const Index index({1, 2}), other({1, 3});
    std::vector<Hash128> hashes;
    for (const auto kind : {Kind::jti, Kind::sid, Kind::issuer})
        for (const auto& issuer : {""s, "a"s, "ab"s, "1:a"s})
            for (const auto& value : {""s, "a"s, "b"s, ":a"s, "1:a"s})
                hashes.push_back(index.hash(kind, issuer, value));
    for (std::size_t i = 0; i < hashes.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (hashes[i] == hashes[j]) FAIL_CHECK("two targets share a hash");
    CHECK(index.hash(Kind::jti, "a", "b") == index.hash(Kind::jti, "a", "b"));
    CHECK(index.hash(Kind::jti, "a", "b") != other.hash(Kind::jti, "a", "b"));
}

TEST_CASE("readers beside the writer: what stands is always seen, what never stood never") {
    Index index({10, 11});
    constexpr int steady = 500, readers = 4;
    std::vector<TargetHash> stand, never;
    for (int i = 0; i < steady; ++i) {
        stand.push_back(index.hash(Kind::sub, "", "stand" + std::to_string(i)));
        never.push_back(index.hash(Kind::sub, "", "never" + std::to_string(i)));
        index.put(stand.back(), {}, {});
    }
    std::vector<std::unique_ptr<Index::Reader>> handles;
    for (int i = 0; i < readers; ++i) handles.push_back(std::make_unique<Index::Reader>(index));
    std::atomic<bool> stop{false};
    std::atomic<int> missed{0}, invented{0};
    std::atomic<std::uint64_t> looked{0};
    std::vector<std::thread> threads;
    for (int r = 0; r < readers; ++r)
        threads.emplace_back([&, r] {
            auto& reader = *handles[static_cast<std::size_t>(r)];
            for (std::size_t i = static_cast<std::size_t>(r); !stop.load(); i = (i + 1) % steady) {
                missed += is_revoked(reader, stand[i], now) ? 0 : 1;
                invented += is_revoked(reader, never[i], now) ? 1 : 0;
                ++looked;
            }
        });
    // The writer: growth, removal, strengthening, sweeps with rebuilds, again and again.
    for (int round = 0; round < 8; ++round) {
        for (int i = 0; i < 3000; ++i) {
            index.put(target(index, round * 3000 + i), now, now + seconds{1});
            if (i % 5 == 0)
                index.put(stand[static_cast<std::size_t>(i) % steady], now - seconds{5}, now + seconds{1});
            if (i % 7 == 0) index.remove(target(index, round * 3000 + i / 2));
        }
        index.sweep(now + seconds{2});
    }
    while (looked.load() < 1000) std::this_thread::yield();
    stop = true;
    for (auto& t : threads) t.join();
    CHECK(missed == 0);
    CHECK(invented == 0);
    CHECK(index.size() == steady);
}

}  // namespace
}  // namespace signet::revocation
