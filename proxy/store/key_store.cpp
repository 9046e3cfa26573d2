#include "store/key_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace signet::store {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    explicit operator bool() const { return fd_ >= 0; }
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

Fault failure(const std::string& path) { return fault(path + ": " + std::strerror(errno)); }

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace

result<std::optional<keys::KeptKeys>> KeyStore::read(const keys::Settings& settings, WallTime now) const {
    const std::string path = directory_ + "/" + keys::kept_file_name(settings);
    // Not through a link, and no device that would keep us waiting.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) {
        if (errno == ENOENT) return std::optional<keys::KeptKeys>{};
        return failure(path);
    }
    struct ::stat status {};
    if (::fstat(file.get(), &status) != 0) return failure(path);
    if (!S_ISREG(status.st_mode)) return fault(path + ": it is not a regular file");
    if ((status.st_uid != ::geteuid() && status.st_uid != 0) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fault(path + ": others may write it; it should be this user's alone (chmod 600)");
    std::string text(keys::max_kept_file + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const auto n = ::read(file.get(), text.data() + size, text.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failure(path);
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    text.resize(size);
    if (size > keys::max_kept_file) return fault(path + ": it is larger than 2 MiB");
    auto kept = keys::parse_kept_file(settings, text, now);
    if (!kept) return fault(path + ": " + kept.error().message);
    return std::optional(std::move(*kept));
}

std::optional<Fault> KeyStore::write(const keys::Settings& settings, const keys::KeptKeys& kept) const {
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) return failure(directory_);
    const std::string path = directory_ + "/" + keys::kept_file_name(settings);
    const std::string fresh = path + ".new";
    ::unlink(fresh.c_str());  // left by a kill
    {
        const Descriptor file(
            ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file) return failure(fresh);
        if (!write_all(file.get(), keys::kept_file_text(settings, kept)) || ::fsync(file.get()) != 0) {
            auto why = failure(fresh);
            ::unlink(fresh.c_str());
            return why;
        }
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) return failure(path);
    const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return failure(directory_);
    return std::nullopt;
}

}  // namespace signet::store
