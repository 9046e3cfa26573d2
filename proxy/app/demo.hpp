// `signet demo`: a development issuer, an echo upstream and the proxy in one process, on loopback.
#pragma once

namespace signet::app {

// once: makes the requests itself and ends; 1 if an answer was not as it should be.
int run_demo(bool once);

}  // namespace signet::app
