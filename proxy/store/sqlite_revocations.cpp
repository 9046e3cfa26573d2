#include "store/sqlite_revocations.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace signet::store {
namespace {

using revocation::Entry;

constexpr const char* schema =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS revocations (id TEXT PRIMARY KEY, kind TEXT NOT NULL, issuer BLOB NOT NULL, "
    "value BLOB NOT NULL,"
    " issued_before INTEGER, expires_at INTEGER, reason BLOB NOT NULL, created INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE INDEX IF NOT EXISTS revocations_by_end ON revocations (expires_at) WHERE expires_at IS NOT NULL;"
    "PRAGMA user_version=1;";

// Resets a statement when its use is over.
struct Use {
    explicit Use(sqlite3_stmt* s) : statement(s) {}
    ~Use() {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    sqlite3_stmt* statement;
};

// Blobs, since claims may hold any byte. Bound without a copy: the statement is stepped while the text lives.
void bind_bytes(sqlite3_stmt* s, int at, std::string_view bytes) {
    sqlite3_bind_blob64(s, at, bytes.empty() ? "" : bytes.data(), bytes.size(), nullptr);
}
void bind_text(sqlite3_stmt* s, int at, std::string_view text) {
    sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), nullptr);
}
void bind_time(sqlite3_stmt* s, int at, const std::optional<WallTime>& t) {
    if (t)
        sqlite3_bind_int64(s, at, t->time_since_epoch().count());
    else
        sqlite3_bind_null(s, at);
}

std::string bytes_at(sqlite3_stmt* s, int column) {
    const void* data = sqlite3_column_blob(s, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s, column));
    return data == nullptr ? std::string{} : std::string(static_cast<const char*>(data), size);
}
std::optional<WallTime> time_at(sqlite3_stmt* s, int column) {
    if (sqlite3_column_type(s, column) == SQLITE_NULL) return std::nullopt;
    return WallTime{milliseconds{sqlite3_column_int64(s, column)}};
}

// kind, issuer, value, issued_before, expires_at, reason, created
Entry entry_of(sqlite3_stmt* s) {
    Entry e;
    e.target.kind = revocation::kind_from(bytes_at(s, 0)).value_or(revocation::Kind::jti);
    e.target.issuer = bytes_at(s, 1);
    e.target.value = bytes_at(s, 2);
    e.issued_before = time_at(s, 3);
    e.expires_at = time_at(s, 4);
    e.reason = bytes_at(s, 5);
    e.created = time_at(s, 6).value_or(WallTime{});
    return e;
}

}  // namespace

std::string sqlite_version() { return sqlite3_libversion(); }

void SqliteRevocations::CloseDatabase::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void SqliteRevocations::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
SqliteRevocations::~SqliteRevocations() = default;

Fault SqliteRevocations::failure(const char* what) const {
    return fault(std::string("revocations: ") + what + ": " + sqlite3_errmsg(db_.get()));
}

SqliteRevocations::Statement SqliteRevocations::prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    return Statement(statement);
}

result<std::unique_ptr<SqliteRevocations>> SqliteRevocations::open(const std::string& directory) {
    ::mkdir(directory.c_str(), 0700);
    const std::string path = directory + "/revocations.db";
    // Readable by Signet alone; SQLite gives its -wal and -shm files the mode of this one.
    if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(
        path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<SqliteRevocations> store(new SqliteRevocations(raw));
    if (opened != SQLITE_OK)
        return fault(path + ": " + (raw != nullptr ? sqlite3_errmsg(raw) : "out of memory") +
                     "; state_dir must be writable for Signet");
    sqlite3_busy_timeout(raw, 2000);
    if (sqlite3_exec(raw, schema, nullptr, nullptr, nullptr) != SQLITE_OK)
        return fault(
            path + ": " + sqlite3_errmsg(raw) +
            "; if the file is damaged, move it away and restart: what it held is then no longer revoked");
    store->put_ = store->prepare(
        "INSERT INTO revocations (id, kind, issuer, value, issued_before, expires_at, reason, created)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET"
        " issued_before = ?5, expires_at = ?6, reason = ?7, created = ?8");
    store->get_ = store->prepare(
        "SELECT kind, issuer, value, issued_before, expires_at, reason, created FROM revocations WHERE id = "
        "?1");
    store->remove_ = store->prepare("DELETE FROM revocations WHERE id = ?1");
    store->list_ = store->prepare(
        "SELECT kind, issuer, value, issued_before, expires_at, reason, created FROM revocations"
        " WHERE id > ?1 ORDER BY id LIMIT ?2");
    store->ended_ = store->prepare(
        "DELETE FROM revocations WHERE id IN (SELECT id FROM revocations"
        " WHERE expires_at IS NOT NULL AND expires_at < ?1 LIMIT ?2)");
    if (!store->put_ || !store->get_ || !store->remove_ || !store->list_ || !store->ended_)
        return store->failure("cannot be read");
    return store;
}

result<std::optional<Entry>> SqliteRevocations::get(std::string_view id) {
    const Use use(get_.get());
    bind_text(use.statement, 1, id);
    switch (sqlite3_step(use.statement)) {
        case SQLITE_ROW:
            return std::optional(entry_of(use.statement));
        case SQLITE_DONE:
            return std::optional<Entry>{};
        default:
            return failure("read");
    }
}

result<Entry> SqliteRevocations::put(const Entry& entry, WallTime ended_before) {
    const auto id = entry.target.id();
    const auto old = get(id);
    if (!old) return old.error();
    const Entry kept = *old && !has_ended(**old, ended_before) ? merge(**old, entry) : entry;
    const Use use(put_.get());
    bind_text(use.statement, 1, id);
    bind_text(use.statement, 2, word(kept.target.kind));
    bind_bytes(use.statement, 3, kept.target.issuer);
    bind_bytes(use.statement, 4, kept.target.value);
    bind_time(use.statement, 5, kept.issued_before);
    bind_time(use.statement, 6, kept.expires_at);
    bind_bytes(use.statement, 7, kept.reason);
    bind_time(use.statement, 8, std::optional(kept.created));
    if (sqlite3_step(use.statement) != SQLITE_DONE) return failure("write");
    return kept;
}

result<std::optional<Entry>> SqliteRevocations::remove(std::string_view id) {
    auto old = get(id);
    if (!old || !*old) return old;
    const Use use(remove_.get());
    bind_text(use.statement, 1, id);
    if (sqlite3_step(use.statement) != SQLITE_DONE) return failure("remove");
    return old;
}

result<std::vector<Entry>> SqliteRevocations::list(std::string_view after, std::size_t limit) {
    const Use use(list_.get());
    bind_text(use.statement, 1, after);
    sqlite3_bind_int64(use.statement, 2, static_cast<sqlite3_int64>(limit));
    std::vector<Entry> out;
    while (true) {
        switch (sqlite3_step(use.statement)) {
            case SQLITE_ROW:
                out.push_back(entry_of(use.statement));
                break;
            case SQLITE_DONE:
                return out;
            default:
                return failure("list");
        }
    }
}

result<std::size_t> SqliteRevocations::remove_ended(WallTime now, std::size_t limit) {
    const Use use(ended_.get());
    sqlite3_bind_int64(use.statement, 1, now.time_since_epoch().count());
    sqlite3_bind_int64(use.statement, 2, static_cast<sqlite3_int64>(limit));
    if (sqlite3_step(use.statement) != SQLITE_DONE) return failure("remove ended entries");
    return static_cast<std::size_t>(sqlite3_changes(db_.get()));
}

}  // namespace signet::store
