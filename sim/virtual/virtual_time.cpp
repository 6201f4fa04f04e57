#include "sim/virtual/virtual_time.hpp"

#include <algorithm>
#include <utility>

namespace unlearn::sim::virtual_world {

void VirtualTime::at(protocol::SteadyTime when, Task task) {
    queue_.push({std::max(when, now_), next_number_++, std::move(task)});
}

void VirtualTime::run_next() {
    // The queue returns its top as const, but it is popped before anything can see that it was moved from.
    Entry entry = std::move(const_cast<Entry&>(queue_.top()));
    queue_.pop();
    now_ = entry.when;
    ++tasks_run_;
    entry.task();
}

}  // namespace unlearn::sim::virtual_world
