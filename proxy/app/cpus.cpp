// How much of a CPU the cgroup gives: the least on the way from this process's group to the root.
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "app/application.hpp"

namespace signet::app {
namespace {

// cgroup v2's cpu.max: "max 100000" or "150000 100000".
double share_v2(const std::string& folder) {
    std::string quota;
    double period = 0;
    std::ifstream file(folder + "/cpu.max");
    if (!(file >> quota >> period) || quota == "max" || period <= 0)
        return std::numeric_limits<double>::infinity();
    return std::strtod(quota.c_str(), nullptr) / period;
}

double share_v1(const std::string& folder) {
    double quota = -1, period = 0;
    std::ifstream q(folder + "/cpu.cfs_quota_us"), p(folder + "/cpu.cfs_period_us");
    if (!(q >> quota) || !(p >> period) || quota <= 0 || period <= 0)
        return std::numeric_limits<double>::infinity();
    return quota / period;
}

double cgroup_share() {
    double share = std::min(share_v2("/sys/fs/cgroup"), share_v1("/sys/fs/cgroup/cpu"));
    // Lines "0::/system.slice/signet.service" (v2), "4:cpu,cpuacct:/a/b" (v1). In a container the path may
    // not be visible; the root is the container's own group then.
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool v2 = controllers == ",,";
        if (!v2 && controllers.find(",cpu,") == std::string::npos) continue;
        auto path = line.substr(second + 1);
        while (path.size() > 1) {
            share = std::min(share,
                             v2 ? share_v2("/sys/fs/cgroup" + path) : share_v1("/sys/fs/cgroup/cpu" + path));
            path.resize(path.rfind('/'));
        }
    }
    return share;
}

}  // namespace

std::size_t available_cpus() {
    std::size_t cpus = 1;
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        cpus = static_cast<std::size_t>(CPU_COUNT(&allowed));
    const double share = cgroup_share();
    if (share < static_cast<double>(cpus)) cpus = static_cast<std::size_t>(std::max(1.0, share));
    return std::max<std::size_t>(cpus, 1);
}

}  // namespace signet::app
