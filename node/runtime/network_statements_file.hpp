#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

/// The file in which statements of a network's key travel from the operator to the nodes.
namespace unlearn::runtime {

/// What a statement in such a file is.
enum class NetworkFileKind { membership, revocation, succession };
/// Returns the name of the kind, as it stands in the file.
[[nodiscard]] std::string_view name_of(NetworkFileKind kind);

/// One statement in such a file.
struct NetworkFileStatement {
    NetworkFileKind kind{};
    protocol::SignedBytes statement;
};

/// The statements of one file, in the order in which they are to be taken.
struct NetworkFile {
    protocol::NetworkId network;
    std::vector<NetworkFileStatement> statements;
};

[[nodiscard]] nlohmann::json make_network_file(const NetworkFile& file);
/// Reads a file and checks every signature in it. Whether a key counts is for the network to say.
/// @return malformed or bad_signature, with a line that says which statement is wrong
[[nodiscard]] protocol::Result<NetworkFile> read_network_file(const nlohmann::json& file);

/// Returns what one statement says, for people and for lists.
[[nodiscard]] nlohmann::json describe(const NetworkFileStatement& statement);

}  // namespace unlearn::runtime
