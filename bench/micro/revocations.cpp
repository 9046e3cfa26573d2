// bench_revocations [--seconds N] [ENTRIES...]
// What revocation::Index costs with so many entries (10000 1000000 10000000 unless given), as one Markdown
// table.
//
// Each size has a process of its own, so that none finds memory that another one left. Small indexes are
// filled several times, a million entries together or a hundred indexes, since the kernel's account of
// resident memory is some pages off. Look-ups are of names that nobody revoked, as nearly all are; they are
// drawn anew for each look-up and before the clock is read, so that the slots are as cold as the size makes
// them. Their rate is that of groups of 100 between two readings of the clock, the names' making left out;
// the times of single ones are two readings less what two readings cost (their median, which the table
// tells).
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "revocation/index.hpp"

namespace {

using namespace signet;
using revocation::Index;
using revocation::TargetHash;
using Clock = std::chrono::steady_clock;

constexpr WallTime wall{milliseconds{1'700'000'000'000}};
constexpr auto later = wall + std::chrono::hours{1};  // when 4 of 5 entries end
constexpr std::size_t names = 10, group = 100;

double ns(Clock::duration d) { return std::chrono::duration<double, std::nano>(d).count(); }

struct Figures {
    double resident = 0, resident_grown = 0, fill = 0, put_growing = 0, lookups = 0, p50 = 0, p99 = 0,
           p999 = 0, longest = 0, longest_kept = 0, switched = 0, changes = 0, put_beside = 0, sweep_idle = 0,
           sweep_ending = 0, clock = 0;
};

struct Row {
    const char* what;
    double Figures::*value;
    double unit;
    int digits;
};

constexpr Row rows[] = {
    {"resident bytes an entry", &Figures::resident, 1, 1},
    {"the same before the first sweep, outgrown tables included", &Figures::resident_grown, 1, 1},
    {"puts a second while it grew, without hashing", &Figures::fill, 1, 0},
    {"longest put while it grew, ms", &Figures::put_growing, 1e6, 2},
    {"look-ups of 10 names a second, one thread", &Figures::lookups, 1, 0},
    {"one look-up of 10 names, p50, ns", &Figures::p50, 1, 0},
    {"p99, ns", &Figures::p99, 1, 0},
    {"p99.9, ns", &Figures::p999, 1, 0},
    {"longest, µs", &Figures::longest, 1e3, 1},
    {"longest while the kernel left the reader its core, µs", &Figures::longest_kept, 1e3, 1},
    {"times that the kernel took the reader's core meanwhile", &Figures::switched, 1, 0},
    {"changes a second beside the look-ups", &Figures::changes, 1, 0},
    {"longest put among them, ms", &Figures::put_beside, 1e6, 3},
    {"a sweep among them that found nothing, ms", &Figures::sweep_idle, 1e6, 2},
    {"a sweep in which 4 of 5 ended, ms", &Figures::sweep_ending, 1e6, 2},
    {"two readings of the clock, ns (subtracted)", &Figures::clock, 1, 0},
};

double resident_bytes() {
    long total = 0, resident = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) std::abort();
    std::fclose(file);
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

Clock::duration clock_cost() {
    std::vector<Clock::duration> found(100'001);
    for (auto& one : found) {
        const auto began = Clock::now();
        one = Clock::now() - began;
    }
    std::nth_element(found.begin(), found.begin() + 50'000, found.end());
    return found[50'000];
}

[[noreturn]] void wrong(const char* what) {
    std::fprintf(stderr, "bench_revocations: %s\n", what);
    std::_Exit(1);
}

TargetHash name(const Index& index, std::size_t number) {
    return index.hash(revocation::Kind::jti, "https://idp.example.com", "jti-" + std::to_string(number));
}

// One put, timed; its name is hashed before.
Clock::duration put(Index& index, std::size_t number) {
    const auto target = name(index, number);
    const auto ends = number % 5 == 0 ? std::nullopt : std::optional(later);
    const auto began = Clock::now();
    index.put(target, std::nullopt, ends);
    return Clock::now() - began;
}

Clock::duration sweep(Index& index, WallTime now) {
    const auto began = Clock::now();
    index.sweep(now);
    return Clock::now() - began;
}

// The calling thread to the first or second of the cores that it may use, so that reader and writer never
// share one.
void take_core(int which) {
    static const cpu_set_t usable = [] {
        cpu_set_t set;
        sched_getaffinity(0, sizeof set, &set);
        return set;
    }();
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &usable) || which-- > 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

// 10,000 changes a second, each when it is due, or at once where it is late: the oldest entry goes, a new one
// comes. In the middle one sweep, as the program does every 30 seconds.
void change(Index& index, std::size_t entries, Clock::duration time, const std::atomic<bool>& stop,
            Figures& out) {
    const auto began = Clock::now();
    auto due = began;
    Clock::duration longest{}, swept{};
    std::size_t count = 0;
    for (; !stop.load(std::memory_order_relaxed); ++count, due += std::chrono::microseconds{100}) {
        std::this_thread::sleep_until(due);
        if (count % 2 == 0)
            index.remove(name(index, count / 2));
        else
            longest = std::max(longest, put(index, entries + count / 2));
        if (swept == Clock::duration{} && due - began >= time / 2) swept = sweep(index, wall);
    }
    out.changes = static_cast<double>(count) / ns(Clock::now() - began) * 1e9;
    out.put_beside = ns(longest);
    out.sweep_idle = ns(swept);
}

// Hashes as SipHash's are: without a pattern (splitmix64).
void draw(std::array<TargetHash, names * group>& targets, std::uint64_t& state) {
    const auto next = [&state] {
        auto z = state += 0x9e3779b97f4a7c15ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    };
    for (auto& target : targets) target = {next() | 1, next()};
}

class Histogram {  // to the nanosecond, and the longest
  public:
    void add(double value) {
        ++counts_[std::min(counts_.size() - 1, static_cast<std::size_t>(std::max(value, 0.0)))];
        ++total_;
        longest_ = std::max(longest_, value);
    }
    [[nodiscard]] double quantile(double share) const {
        auto left = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
        for (std::size_t i = 0; i + 1 < counts_.size(); ++i) {
            if (counts_[i] >= left) return static_cast<double>(i);
            left -= counts_[i];
        }
        return longest_;
    }
    [[nodiscard]] double longest() const { return longest_; }

  private:
    std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(100'000);
    std::uint64_t total_ = 0;
    double longest_ = 0;
};

long times_switched() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

void look_up(Index::Reader& reader, Clock::duration time, Figures& out) {
    const auto cost = clock_cost();
    std::array<TargetHash, names * group> targets;
    const auto ask = [&](std::size_t i) {
        const auto* const first = targets.data() + i * names;
        return reader.is_revoked(first, first + names, wall, wall);
    };
    Histogram singles;
    Clock::duration grouped{};
    std::size_t count = 0;
    std::uint64_t state = 1;
    bool revoked = false;
    const auto switched = times_switched();
    for (const auto until = Clock::now() + time; Clock::now() < until; count += group) {
        draw(targets, state);
        const auto began = Clock::now();
        for (std::size_t i = 0; i < group; ++i) revoked |= ask(i);
        grouped += Clock::now() - began - cost;
        draw(targets, state);
        const auto switched_before = times_switched();
        double longest = 0;
        for (std::size_t i = 0; i < group; ++i) {
            const auto before = Clock::now();
            revoked |= ask(i);
            const auto took = ns(Clock::now() - before - cost);
            singles.add(took);
            longest = std::max(longest, took);
        }
        if (longest > out.longest_kept && times_switched() == switched_before) out.longest_kept = longest;
    }
    if (revoked) wrong("a name that nobody revoked was found");
    out.switched = static_cast<double>(times_switched() - switched);
    out.clock = ns(cost);
    out.lookups = static_cast<double>(count) / ns(grouped) * 1e9;
    out.p50 = singles.quantile(0.5);
    out.p99 = singles.quantile(0.99);
    out.p999 = singles.quantile(0.999);
    out.longest = singles.longest();
}

Figures measure(std::size_t entries, Clock::duration time) {
    Figures out;
    std::vector<std::unique_ptr<Index>> filled(std::clamp<std::size_t>(1'000'000 / entries, 1, 100));
    const auto all = static_cast<double>(filled.size() * entries);
    const auto before = resident_bytes();
    Clock::duration longest{}, spent{};
    for (auto& index : filled) {
        index = std::make_unique<Index>(random_seed());
        for (std::size_t i = 0; i < entries; ++i) {
            const auto took = put(*index, i);
            longest = std::max(longest, took);
            spent += took;
        }
    }
    out.resident_grown = (resident_bytes() - before) / all;
    for (auto& index : filled) index->sweep(wall);
    out.resident = (resident_bytes() - before) / all;
    out.put_growing = ns(longest);
    out.fill = all / ns(spent) * 1e9;

    Index& index = *filled.front();
    Index::Reader reader(index);
    for (std::size_t i = 0; i < entries; i += std::max<std::size_t>(1, entries / 1000)) {
        const auto target = name(index, i);
        if (!reader.is_revoked(&target, &target + 1, wall, wall)) wrong("an entry was not found");
    }
    if (index.size() != entries) wrong("the index miscounts");

    std::atomic<bool> stop{false};
    take_core(0);
    std::thread writer([&] {
        take_core(1);
        change(index, entries, time, stop, out);
    });
    look_up(reader, time, out);
    stop = true;
    writer.join();

    out.sweep_ending = ns(sweep(index, later));
    // One more or less: the writer may have stopped between a name that went and one that came.
    if (index.size() + 1 < entries / 5 || index.size() > entries / 5 + 1)
        wrong("a sweep ended too few or too many");
    return out;
}

// In a process of its own, which hands the figures back.
Figures measure_apart(std::size_t entries, Clock::duration time) {
    int ends[2];
    if (pipe(ends) != 0) wrong("no pipe");
    const pid_t child = fork();
    if (child < 0) wrong("no process");
    if (child == 0) {
        const auto out = measure(entries, time);
        std::_Exit(write(ends[1], &out, sizeof out) == sizeof out ? 0 : 1);
    }
    close(ends[1]);
    Figures out;
    const bool whole = read(ends[0], &out, sizeof out) == sizeof out;
    close(ends[0]);
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0 || !whole) wrong("a size could not be measured");
    return out;
}

std::string thousands(std::string digits) {
    const auto point = digits.find('.');
    for (std::size_t i = point == std::string::npos ? digits.size() : point; i > 3;) {
        i -= 3;
        digits.insert(i, ",");
    }
    return digits;
}

std::size_t number(const char* text) {
    char* end = nullptr;
    const auto value = std::strtoull(text, &end, 10);
    if (value == 0 || *end != '\0' || value > 1'000'000'000) {
        std::fprintf(stderr, "usage: bench_revocations [--seconds N] [ENTRIES...]\n");
        std::exit(64);
    }
    return value;
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<std::size_t> sizes;
    auto time = std::chrono::seconds{5};
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(arguments[i], "--seconds") == 0 && i + 1 < count)
            time = std::chrono::seconds{number(arguments[++i])};
        else
            sizes.push_back(number(arguments[i]));
    }
    if (sizes.empty()) sizes = {10'000, 1'000'000, 10'000'000};
    if (std::thread::hardware_concurrency() < 2)
        std::fprintf(stderr,
                     "bench_revocations: reader and writer share one core: the times are not the index's\n");
    std::vector<Figures> figures;
    std::string head = "| entries |", rule = "|---|";
    for (const auto size : sizes) {
        figures.push_back(measure_apart(size, time));
        head += " " + thousands(std::to_string(size)) + " |";
        rule += "---:|";
    }
    std::printf("%s\n%s\n", head.c_str(), rule.c_str());
    for (const auto& row : rows) {
        std::printf("| %s |", row.what);
        for (const auto& one : figures) {
            char text[64];
            std::snprintf(text, sizeof text, "%.*f", row.digits, one.*row.value / row.unit);
            std::printf(" %s |", thousands(text).c_str());
        }
        std::printf("\n");
    }
    return 0;
}
