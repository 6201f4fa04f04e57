#pragma once

#include <ostream>

#include <nlohmann/json.hpp>

namespace unlearn::ctl {

/// The holders of a certificate, a line each: who, erased, left or missing, when it signed, and the end of
/// its last lease. Prints nothing when there are none, or nobody knows them. Checks nothing: what is no
/// receipt has no time.
void print_holders(const nlohmann::json& certificate, std::ostream& out);

/// The whole certificate for people: owner, whether it is complete, the holders, and what it does not prove.
void print_certificate(const nlohmann::json& certificate, std::ostream& out);

}  // namespace unlearn::ctl
