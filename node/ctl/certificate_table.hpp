#pragma once

#include <ostream>

#include <nlohmann/json.hpp>

namespace unlearn::ctl {

/// Prints the holders of a certificate, one line each: who, erased, left or missing, when it signed, and the
/// end of its last lease. Prints nothing when there are none or they are not known. Does not verify the
/// certificate; an entry without a valid receipt has no time.
void print_holders(const nlohmann::json& certificate, std::ostream& out);

/// Prints the whole certificate for users: owner, whether it is complete, the holders, and what it does not
/// prove.
void print_certificate(const nlohmann::json& certificate, std::ostream& out);

}  // namespace unlearn::ctl
