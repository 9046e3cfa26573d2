// Revocations in a SQLite file (WAL, full synchronisation): what `put` has returned survives a kill at any
// moment.
#pragma once

#include <memory>
#include <string>

#include "revocation/source.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace signet::store {

std::string sqlite_version();

class SqliteRevocations final : public revocation::Source {
  public:
    // Opens or makes DIRECTORY/revocations.db. A Fault says what to do.
    static result<std::unique_ptr<SqliteRevocations>> open(const std::string& directory);
    ~SqliteRevocations() override;

    result<revocation::Entry> put(const revocation::Entry& entry, WallTime ended_before) override;
    result<std::optional<revocation::Entry>> remove(std::string_view id) override;
    result<std::vector<revocation::Entry>> list(std::string_view after, std::size_t limit) override;
    result<std::size_t> remove_ended(WallTime now, std::size_t limit) override;
    [[nodiscard]] std::string_view name() const override { return "file"; }

  private:
    struct CloseDatabase {
        void operator()(sqlite3* db) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

    explicit SqliteRevocations(sqlite3* db) : db_(db) {}
    Statement prepare(const char* sql);
    result<std::optional<revocation::Entry>> get(std::string_view id);
    [[nodiscard]] Fault failure(const char* what) const;

    std::unique_ptr<sqlite3, CloseDatabase> db_;
    Statement put_, get_, remove_, list_, ended_;
};

}  // namespace signet::store
