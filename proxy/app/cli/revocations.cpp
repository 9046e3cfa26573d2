#include <iostream>

#include "app/cli/command.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace signet::app::cli {
namespace {

// f(entry as JSON text) for each; false: it failed.
template <class F>
bool for_each_entry(const AdminOptions& admin, F&& f) {
    std::string cursor;
    do {
        const auto answer = ask_admin(
            admin, {"GET", "/v1/revocations" + (cursor.empty() ? "" : "?cursor=" + cursor), {}, ""});
        if (!succeeded(answer, 200)) return false;
        json::Document document;
        const auto root = document.parse(answer->body);
        const auto list = root ? root->find("revocations") : std::nullopt;
        if (!list) return false;
        list->each_element([&](const json::Value& entry) {
            std::string text;
            entry.write(text, false);
            f(text);
            return true;
        });
        const auto next = root->find("next_cursor");
        cursor = next && next->string() ? std::string(*next->string()) : std::string{};
    } while (!cursor.empty());
    return true;
}

int list(const AdminOptions& admin) {
    return for_each_entry(admin, [](const std::string& entry) { std::cout << entry << "\n"; }) ? exit_ok
                                                                                               : exit_failed;
}

int remove(const AdminOptions& admin, const std::string& id) {
    return succeeded(ask_admin(admin, {"DELETE", "/v1/revocations/" + id, {}, ""}), 204) ? exit_ok
                                                                                         : exit_failed;
}

// Lines as `export` writes them; what an instance adds (id, created_at) is left out.
int import(const AdminOptions& admin) {
    std::string line;
    std::size_t done = 0, ended = 0;
    for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
        if (line.empty()) continue;
        json::Document document;
        const auto entry = document.parse(line);
        if (!entry || !entry->is_object()) {
            std::cerr << "signet: line " << number << " is not a JSON object; " << done
                      << " entries were imported before it\n";
            return exit_failed;
        }
        std::string body = "{";
        entry->each_member([&](std::string_view name, const json::Value& value) {
            if (name == "id" || name == "created_at" || name == "reach") return true;
            if (body.size() > 1) body += ',';
            body += "\"" + std::string(name) + "\":";
            value.write(body, false);
            return true;
        });
        body += '}';
        // An export outlives its entries.
        const auto end = entry->find("expires_at");
        const auto when = end && end->string() ? parse_time(*end->string()) : std::nullopt;
        if (when && *when <= wall_now().time_since_epoch().count()) {
            ++ended;
            continue;
        }
        if (!succeeded(ask_admin(admin, {"POST", "/v1/revocations", {}, body}), 201)) {
            std::cerr << "signet: stopped at line " << number << "; " << done
                      << " entries were imported before it\n";
            return exit_failed;
        }
        ++done;
    }
    std::cerr << done << " entries imported";
    if (ended != 0) std::cerr << ", " << ended << " left out that have ended";
    std::cerr << "\n";
    return exit_ok;
}

}  // namespace

void add_revocations(CLI::App& program, int& exit) {
    auto* group = program.add_subcommand("revocations", "the list of revocations, by hand (NDJSON)");
    group->require_subcommand(1);
    auto admin = std::make_shared<AdminOptions>();
    auto id = std::make_shared<std::string>();
    const auto add = [&](const char* name, const char* help, auto action) {
        auto* command = group->add_subcommand(name, help);
        add_admin_options(*command, *admin);
        command->callback([admin, action, &exit] { exit = action(*admin); });
        return command;
    };
    add("list", "print the entries", [](const AdminOptions& a) { return list(a); });
    add("export", "print the entries, for import", [](const AdminOptions& a) { return list(a); });
    add("import", "add entries from standard input", [](const AdminOptions& a) { return import(a); });
    add("remove", "remove an entry", [id](const AdminOptions& a) { return remove(a, *id); })
        ->add_option("id", *id, "its id")
        ->required();
}

}  // namespace signet::app::cli
