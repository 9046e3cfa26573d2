#include "admin/dashboard.hpp"

namespace signet::admin {

std::string_view dashboard_policy() {
    return "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
           "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
}

// Values go into the page as text nodes only: names and errors come from issuers.
std::string_view dashboard_page() {
    return R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Signet</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc; vertical-align: top; }
#problem { color: #a00; }
</style>
</head>
<body>
<h1>Signet</h1>
<p><label>Admin token, if one is set: <input id="token" type="password" autocomplete="off"></label>
<button id="show" type="button">Show</button></p>
<p id="problem" role="status"></p>
<table><caption>Instance</caption><tbody id="instance"></tbody></table>
<table><caption>Issuers</caption>
<thead><tr><th>name</th><th>keys</th><th>skipped</th><th>last success</th><th>next refresh</th><th>last error</th></tr></thead>
<tbody id="issuers"></tbody></table>
<script>
"use strict";
const at = id => document.getElementById(id);
function row(table, cells) {
  const tr = at(table).insertRow();
  for (const cell of cells) tr.insertCell().textContent = cell === null || cell === undefined ? "–" : String(cell);
}
async function show() {
  const token = at("token").value;
  at("instance").textContent = at("issuers").textContent = at("problem").textContent = "";
  try {
    const answer = await fetch("/v1/status", {headers: token ? {Authorization: "Bearer " + token} : {}});
    if (!answer.ok) throw new Error(answer.status === 401 ? "A token is needed." : "The instance answered " + answer.status + ".");
    const s = await answer.json();
    row("instance", ["version", s.version]);
    row("instance", ["ready", s.ready]);
    row("instance", ["up for", Math.round(s.uptime_seconds) + " s"]);
    row("instance", ["revocations", s.revocation.entries + " in " + s.revocation.store]);
    row("instance", ["remembered tokens", s.token_cache.entries + " in " + s.token_cache.bytes + " bytes"]);
    for (const u of s.upstreams) row("instance", ["upstream " + u.name, u.urls.join(", ")]);
    for (const i of s.issuers)
      row("issuers", [i.name, i.keys.map(k => (k.kid ?? "(no kid)") + " " + k.alg).join(", "),
                      i.skipped.map(k => k.kid + ": " + k.why).join(", "), i.last_success, i.next_refresh, i.last_error]);
  } catch (e) {
    at("problem").textContent = e.message;
  }
}
at("show").addEventListener("click", show);
show();
</script>
</body>
</html>
)html";
}

}  // namespace signet::admin
