// The log: JSON lines on standard output, by spdlog. One line a call for what happens to Signet itself;
// access lines come in batches. Nothing here blocks a worker: a thread of its own writes, and when the pipe
// is full new batches are refused, so that the worker can count what is lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "telemetry/settings.hpp"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace signet::telemetry {

struct LogField {
    std::string_view name;
    std::variant<std::string_view, double, bool> value;
    LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
    LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    LogField(std::string_view n, bool v) : name(n), value(v) {}
    LogField(std::string_view n, double v) : name(n), value(v) {}
    LogField(std::string_view n, std::size_t v) : name(n), value(static_cast<double>(v)) {}
    LogField(std::string_view n, int v) : name(n), value(static_cast<double>(v)) {}
};

// Thread-safe.
class Log {
  public:
    explicit Log(Level level);
    ~Log();  // writes what is left
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void write(Level level, std::string_view message, std::initializer_list<LogField> fields = {});
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(Level::info, message, fields);
    }
    void warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(Level::warn, message, fields);
    }
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(Level::error, message, fields);
    }

    // Whatever the level: what somebody will be asked about.
    void audit(std::string_view message, std::initializer_list<LogField> fields = {});

    // Whole lines, each with its line break but the last. False: the queue is full, and they are lost.
    [[nodiscard]] bool write_batch(std::string_view lines);
    void set_level(Level level);

  private:
    void emit(Level level, std::string_view message, std::initializer_list<LogField> fields);

    std::shared_ptr<spdlog::details::thread_pool> pool_;
    std::shared_ptr<spdlog::logger> events_;
    std::shared_ptr<spdlog::logger> access_;
    std::atomic<Level> level_;
};

}  // namespace signet::telemetry
