// Other people's test vectors. They are not part of the project: they lie beside it where it is developed, in
// ../shared, or where $SIGNET_SHARED says. Without them this program says so and returns 77.
#define CATCH_CONFIG_RUNNER
#include "unit/vectors/vectors.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace signet::test {

std::string vectors_folder() {
    const char* const told = std::getenv("SIGNET_SHARED");
    return (told != nullptr && *told != '\0' ? std::string(told) : std::string(SIGNET_SHARED_DEFAULT)) +
           "/vectors";
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    INFO(path);
    REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace signet::test

int main(int argc, char** argv) {
    if (!std::filesystem::is_directory(signet::test::vectors_folder())) {
        std::cout << "skipped: there are no vectors in " << signet::test::vectors_folder()
                  << " (../shared is absent)\n";
        return 77;
    }
    return Catch::Session().run(argc, argv);
}
