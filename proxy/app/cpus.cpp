#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "app/application.hpp"

namespace signet::app {

std::size_t available_cpus() {
    std::size_t cpus = 1;
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        cpus = static_cast<std::size_t>(CPU_COUNT(&allowed));
    // cgroup v2: "max 100000" or "150000 100000"; v1: two files.
    std::string quota;
    double period = 0;
    std::ifstream v2("/sys/fs/cgroup/cpu.max");
    if (!(v2 >> quota >> period)) {
        std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
        if (!(q >> quota) || !(p >> period)) quota = "max";
    }
    if (quota != "max" && period > 0) {
        const double share = std::strtod(quota.c_str(), nullptr) / period;
        if (share > 0) cpus = std::min(cpus, static_cast<std::size_t>(std::max(1.0, share)));
    }
    return std::max<std::size_t>(cpus, 1);
}

}  // namespace signet::app
