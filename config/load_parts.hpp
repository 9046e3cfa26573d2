// The parts of the file, each read by a function of its own. Private to config/.
#pragma once

#include <map>
#include <string>

#include "config/configuration.hpp"
#include "config/section.hpp"

namespace signet::config {

using Names = std::map<std::string, std::uint16_t>;  // name -> index

Names load_upstreams(Section& root, Configuration& out);
std::vector<policy::ClaimHeader> load_claim_headers(Section& section, const char* key);
policy::Requirement load_requirement(Section& section, const char* key);
std::vector<policy::ClaimPath> load_claim_paths(Section& section, const char* key,
                                                std::vector<policy::ClaimPath> fallback);
Names load_issuers(Section& root, Configuration& out, const std::vector<policy::ClaimHeader>& global_headers);
void load_routes(Section& root, Configuration& out, const Names& upstreams, const Names& issuers);
// Reads `resource` of the owner, if it is there; issuers: those whose tokens are taken, none: all. -> its
// index among the rules' resources, or -1.
int load_resource(Section& owner, Configuration& out, const std::vector<std::uint16_t>& issuers);
// What resources tell of themselves, once it is known where tokens are taken from.
void finish_resources(Configuration& out);
void load_tokens(Section& root, Configuration& out);
void load_listeners(Section& root, Configuration& out);
// "Name: value\r\n" lines of a mapping.
std::string load_fixed_headers(Section& section, const char* key, http::HeaderNames& names);
std::vector<std::string> split_names(const std::string& lines);
bool is_header_name(std::string_view name);
bool may_be_claim_header(std::string_view name);
// The same of every name that begins so.
bool may_be_removed_prefix(std::string_view prefix);

}  // namespace signet::config
