#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

/// Real `unlearnd` processes with folders of their own, used through `unlearnctl` as a person would.
namespace unlearn::testing {

struct Finished {
    int code = 0;
    std::string out;
    std::string err;
};

/// True as soon as `condition` is, false when it is not within `limit`.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::seconds limit = std::chrono::seconds(30));

/// A free port of the loopback, free a moment ago at least.
[[nodiscard]] int free_port();

/// One device: a configuration, a data folder, and at times a process.
class Device {
  public:
    /// `port` 0: nobody can dial it.
    Device(std::filesystem::path folder, std::string name, int port);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    /// unlearnctl init with the CSV files of `write_data` and `write_reference`, and small models.
    void init();
    /// The same with data and classes of one's own, or with a network key.
    void init(const std::vector<std::string>& options, const std::string& network = "--network fleet");
    /// The options of `init()`.
    [[nodiscard]] std::vector<std::string> usual_options() const;
    void start(std::chrono::seconds limit = std::chrono::seconds(30));
    /// Without waiting until it answers.
    void launch();
    /// One more variable for the processes that are launched from now on.
    void set_environment(const std::string& name, const std::string& value);
    /// SIGKILL: what a power cut leaves behind.
    void kill();
    /// SIGTERM, and its exit code.
    int stop();
    /// Waits until it ends by itself. @return its exit code, -1 when it does not end.
    [[nodiscard]] int wait(std::chrono::seconds limit = std::chrono::seconds(30));

    [[nodiscard]] Finished ctl(const std::string& arguments) const;
    /// `unlearnd --check` with its configuration; `out` holds all that it says.
    [[nodiscard]] Finished check() const;
    /// The command must succeed.
    [[nodiscard]] nlohmann::json ask(const std::string& arguments) const;
    /// A connection of one's own to the control socket: a descriptor that the caller closes.
    [[nodiscard]] int connect_to_control_socket() const;
    /// A number from /metrics, named without `unlearnd_`. It must be there.
    [[nodiscard]] double metric(const std::string& name) const;
    [[nodiscard]] std::string address() const;
    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path data_dir() const { return folder_ / "data"; }
    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] pid_t process() const { return process_; }
    [[nodiscard]] std::string log() const;

    /// Owners of the seeds in use, in the order of their ids.
    [[nodiscard]] std::vector<std::string> seeds_in_use() const;
    /// How many entries of this kind the erasure log has.
    [[nodiscard]] std::size_t log_entries(const std::string& kind) const;
    [[nodiscard]] bool running() const { return process_ > 0; }

  private:
    std::filesystem::path folder_;
    std::string name_;
    int port_;
    std::string id_;
    std::map<std::string, std::string> environment_;
    pid_t process_ = -1;
};

using Devices = std::vector<std::unique_ptr<Device>>;

/// A running device with data of its own (`write_data`) in a folder that has a reference set.
[[nodiscard]] std::unique_ptr<Device> new_device(const std::filesystem::path& folder, const std::string& name,
                                                 unsigned seed, bool dialled = true);

/// Makes them know each other while they run.
void introduce(Device& a, Device& b);

/// In order.
[[nodiscard]] std::vector<std::string> ids_without(const Devices& devices,
                                                   const std::vector<const Device*>& excluded);

/// Every running device uses exactly the seeds of the others that have not left.
[[nodiscard]] bool all_have_seeds(const Devices& devices, const std::vector<const Device*>& left = {});

/// What every running device says about the seeds that it holds, for the message of a failed check.
[[nodiscard]] std::string seeds_of(const Devices& devices);

/// Owners of the seeds that took part in a prediction, in order.
[[nodiscard]] std::vector<std::string> owners_in(const nlohmann::json& prediction);

/// Rows of four clusters; `seed` decides which three of them the node sees.
void write_data(const std::filesystem::path& folder, unsigned seed);
/// The same with labels that say something else than the others': what its node learns is wrong.
void write_wrong_data(const std::filesystem::path& folder, unsigned seed);
void write_reference(const std::filesystem::path& folder);

}  // namespace unlearn::testing
