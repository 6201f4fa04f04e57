#include "node/network/resolver.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include "node/network/limits.hpp"

namespace unlearn::network {
namespace {

/// A host name never contains a colon, and an IPv6 address always does.
bool is_numeric(const std::string& host) {
    in_addr address{};
    return host.find(':') != std::string::npos || ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

std::string numeric(const addrinfo& info) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(info.ai_addr, info.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) !=
        0)
        return {};
    return text.data();
}

Resolver::Answer look_up(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (code != 0)
        return {{}, host + ": " + (code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code))};
    Resolver::Answer answer;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
        if (auto text = numeric(*one); !text.empty()) answer.addresses.push_back(std::move(text));
    ::freeaddrinfo(found);
    if (answer.addresses.empty()) answer.problem = host + ": has no address";
    return answer;
}

}  // namespace

struct Resolver::State {
    std::mutex mutex;
    bool over = false;
    /// The callers that wait for each name that is queued or being looked up.
    std::map<std::string, std::vector<std::shared_ptr<Question>>> questions;
    std::deque<std::string> fresh;   ///< names that wait for a thread
    std::deque<std::string> failed;  ///< the same, for names whose last look-up failed
    std::set<std::string> known_bad;
    std::size_t busy = 0;         ///< threads that are looking a name up
    std::size_t busy_failed = 0;  ///< of those, threads with a name whose last look-up failed
};

void Resolver::Question::cancel() {
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
    done_ = nullptr;
}

void Resolver::Question::answer(const Answer& answer) {
    const std::lock_guard lock(mutex_);
    if (io_ == nullptr) return;
    asio::post(*io_, [done = std::move(done_), answer] { done(answer); });
    done_ = nullptr;
    io_ = nullptr;
}

Resolver::Resolver() : state_(std::make_shared<State>()) {}

Resolver::~Resolver() {
    const std::lock_guard lock(state_->mutex);
    state_->over = true;
    state_->questions.clear();
    state_->fresh.clear();
    state_->failed.clear();
}

std::shared_ptr<Resolver::Question> Resolver::ask(const std::string& host, asio::io_context& io, Done done) {
    auto question = std::make_shared<Question>(io, std::move(done));
    if (is_numeric(host)) {
        question->answer({{host}, {}});
        return question;
    }
    {
        const std::lock_guard lock(state_->mutex);
        auto& waiting = state_->questions[host];
        waiting.push_back(question);
        if (waiting.size() == 1)
            (state_->known_bad.contains(host) ? state_->failed : state_->fresh).push_back(host);
    }
    start_threads(state_);
    return question;
}

void Resolver::start_threads(const std::shared_ptr<State>& state) {
    const std::lock_guard lock(state->mutex);
    const auto startable = [&] {
        if (state->busy >= kMaxLookups) return false;
        return !state->fresh.empty() || (!state->failed.empty() && state->busy_failed < kMaxFailedLookups);
    };
    // Each thread looks up one name, starts threads for the names that are left, and ends.
    for (std::size_t wanted = state->fresh.size() + state->failed.size(); wanted > 0 && startable();
         --wanted) {
        const bool fresh = !state->fresh.empty();
        auto& queue = fresh ? state->fresh : state->failed;
        std::string host = std::move(queue.front());
        queue.pop_front();
        ++state->busy;
        state->busy_failed += fresh ? 0 : 1;
        try {
            std::thread([state, host, fresh] {
                const Answer answer = look_up(host);
                std::vector<std::shared_ptr<Question>> questions;
                {
                    const std::lock_guard done(state->mutex);
                    --state->busy;
                    state->busy_failed -= fresh ? 0 : 1;
                    questions = std::move(state->questions[host]);
                    state->questions.erase(host);
                    if (answer.problem.empty())
                        state->known_bad.erase(host);
                    else if (state->known_bad.size() < kMaxRememberedNames)
                        state->known_bad.insert(host);
                    if (state->over) return;
                }
                for (const auto& question : questions)
                    question->answer(answer);
                start_threads(state);
            }).detach();
        } catch (const std::system_error&) {
            // No thread can be started. The caller asks again later.
            --state->busy;
            state->busy_failed -= fresh ? 0 : 1;
            auto questions = std::move(state->questions[host]);
            state->questions.erase(host);
            for (const auto& question : questions)
                question->answer({{}, host + ": no thread to look it up"});
            return;
        }
    }
}

}  // namespace unlearn::network
