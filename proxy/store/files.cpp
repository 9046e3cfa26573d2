#include "store/files.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace signet::store {

result<std::string> read_file(const std::string& path, std::size_t limit) {
    std::ifstream in(path, std::ios::binary);
    struct ::stat status {};
    if (!in || ::stat(path.c_str(), &status) != 0) return fault(path + ": " + std::strerror(errno));
    if (S_ISDIR(status.st_mode)) return fault(path + ": is a directory");
    std::string out(limit + 1, '\0');
    in.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(in.gcount()));
    if (out.size() > limit) return fault(path + ": larger than " + std::to_string(limit) + " bytes");
    return out;
}

FileWatch::FileWatch(std::vector<std::string> paths) : paths_(std::move(paths)) {
    for (const auto& path : paths_) seen_.push_back(look(path));
}

FileWatch::Seen FileWatch::look(const std::string& path) {
    struct ::stat s {};
    if (::stat(path.c_str(), &s) != 0) return {};
    return {s.st_dev, s.st_ino, static_cast<std::uint64_t>(s.st_size),
            static_cast<std::int64_t>(s.st_mtim.tv_sec) * 1'000'000'000 + s.st_mtim.tv_nsec};
}

bool FileWatch::changed() {
    bool any = false;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        const auto now = look(paths_[i]);
        if (now == seen_[i]) continue;
        seen_[i] = now;
        any = true;
    }
    return any;
}

}  // namespace signet::store
