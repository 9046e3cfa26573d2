#include "telemetry/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace signet::telemetry {
namespace {

constexpr std::size_t queued_batches = 256;
constexpr std::size_t kept_for_events = 64;

const char* word(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            break;
    }
    return "error";
}

std::shared_ptr<spdlog::logger> make_logger(const char* name,
                                            const std::shared_ptr<spdlog::details::thread_pool>& pool,
                                            spdlog::async_overflow_policy when_full) {
    auto logger = std::make_shared<spdlog::async_logger>(
        name, std::make_shared<spdlog::sinks::stdout_sink_mt>(), pool, when_full);
    logger->set_pattern("%v");  // the lines are JSON already
    logger->set_level(spdlog::level::trace);
    return logger;
}

}  // namespace

Log::Log(Level level)
    : pool_(std::make_shared<spdlog::details::thread_pool>(queued_batches, 1)),
      events_(make_logger("signet", pool_, spdlog::async_overflow_policy::overrun_oldest)),
      access_(make_logger("access", pool_, spdlog::async_overflow_policy::overrun_oldest)),
      level_(level) {}

Log::~Log() {
    events_.reset();
    access_.reset();
    pool_.reset();  // joins the writer after it has emptied the queue
}

void Log::write(Level level, std::string_view message, std::initializer_list<LogField> fields) {
    if (level >= level_) emit(level, message, fields);
}

void Log::audit(std::string_view message, std::initializer_list<LogField> fields) {
    emit(Level::info, message, fields);
}

void Log::emit(Level level, std::string_view message, std::initializer_list<LogField> fields) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    std::string line;
    json::Writer w(line);
    w.object()
        .member("ts", rfc3339(now.time_since_epoch().count()))
        .member("level", word(level))
        .member("msg", message);
    for (const auto& field : fields) std::visit([&](const auto& v) { w.member(field.name, v); }, field.value);
    w.end_object();
    events_->info(spdlog::string_view_t(line));
    if (level >= Level::warn) events_->flush();
}

bool Log::write_batch(std::string_view lines) {
    // Some room is left for what happens to Signet itself.
    if (pool_->queue_size() >= queued_batches - kept_for_events) return false;
    access_->info(spdlog::string_view_t(lines.data(), lines.size()));
    return true;
}
void Log::set_level(Level level) { level_ = level; }

}  // namespace signet::telemetry
