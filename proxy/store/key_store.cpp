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

// Whoever else may write to it could bring back an older file, or take one away.
std::optional<Fault> judge_directory(int fd, const std::string& path) {
    struct ::stat status {};
    if (::fstat(fd, &status) != 0) return failure(path);
    if ((status.st_uid != ::geteuid() && status.st_uid != 0) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fault(path + ": others may write to it; it should be this user's alone (chmod 700)");
    return std::nullopt;
}

Descriptor open_directory(const std::string& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

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
    const Descriptor directory = open_directory(directory_);
    if (!directory) {
        if (errno == ENOENT) return std::optional<keys::KeptKeys>{};
        return failure(directory_);
    }
    if (auto wrong = judge_directory(directory.get(), directory_)) return *wrong;
    const std::string name = keys::kept_file_name(settings), path = directory_ + "/" + name;
    // Not through a link, and no device that would keep us waiting.
    const Descriptor file(
        ::openat(directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
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
    const auto parent = directory_.substr(0, directory_.rfind('/'));
    ::mkdir(parent.c_str(), 0700);  // there already, as a rule
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
        return fault(failure(directory_).message +
                     "; state_dir must be a directory that Signet may write to");
    const Descriptor directory = open_directory(directory_);
    if (!directory) return failure(directory_);
    if (auto wrong = judge_directory(directory.get(), directory_)) return wrong;
    const std::string name = keys::kept_file_name(settings), path = directory_ + "/" + name;
    const std::string fresh = name + ".new";
    ::unlinkat(directory.get(), fresh.c_str(), 0);  // left by a kill
    {
        const Descriptor file(::openat(directory.get(), fresh.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file) return failure(path + ".new");
        if (!write_all(file.get(), keys::kept_file_text(settings, kept)) || ::fsync(file.get()) != 0) {
            auto why = failure(path + ".new");
            ::unlinkat(directory.get(), fresh.c_str(), 0);
            return why;
        }
    }
    if (::renameat(directory.get(), fresh.c_str(), directory.get(), name.c_str()) != 0) return failure(path);
    // So that the rename survives a power cut; without it the old file might, which is no harm.
    ::fsync(directory.get());
    return std::nullopt;
}

}  // namespace signet::store
