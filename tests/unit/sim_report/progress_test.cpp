#include "sim/report/progress.hpp"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace unlearn::sim::report;

namespace {

/// What `work` makes a Progress write.
std::string written(const Terminal& terminal, const std::function<void(Progress&)>& work,
                    std::chrono::milliseconds plain_line_every = std::chrono::seconds(15)) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* file = ::open_memstream(&text, &size);
    {
        Progress progress(file, terminal, plain_line_every);
        work(progress);
    }
    std::fclose(file);
    std::string result(text, size);
    std::free(text);
    return result;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a file gets a line when a phase starts and one when it ends") {
    const std::string text = written({}, [](Progress& progress) {
        auto train = progress.start("train", 100);
        auto node = progress.start("node-3", 10, Progress::Keep::nothing);
        for (int i = 0; i < 100; ++i)
            train.advance();
        node.advance();
        progress.message("a word");
    });
    CHECK(text.rfind("train: ...\na word\ntrain: done in ", 0) == 0);
    CHECK_FALSE(contains(text, "node-3"));
    CHECK_FALSE(contains(text, "\033"));
}

TEST_CASE("between them it gets what is new, with the note, and nothing twice") {
    const std::string text = written(
        {},
        [](Progress& progress) {
            auto runs = progress.start("runs", 2);
            for (int i = 0; i < 50; ++i) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                runs.advance(0);
                runs.note("train: 1 %");
            }
            runs.note("train: 2 %");
            runs.note("");
            runs.advance();
        },
        std::chrono::milliseconds(0));
    CHECK(text.rfind("runs: ...\nruns: 0 %\nruns: 0 %  train: 1 %\n", 0) == 0);
    CHECK(contains(text, "runs: done in "));
    std::string last;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line); last = line)
        CHECK(line != last);
}

TEST_CASE("a terminal gets bars that are erased, and a line that stays") {
    const std::string text = written({.interactive = true}, [](Progress& progress) {
        auto train = progress.start("train", 4);
        train.note("node-3");
        train.advance(2);
        auto distil = progress.start("distil", 0);
        auto moved = std::move(distil);
        train.advance(7);  // more than there is: full, not over
    });
    CHECK(contains(text, "train            ............"));
    CHECK(contains(text, "############............  50 %"));
    CHECK(contains(text, "left  node-3"));
    CHECK(contains(text, "\033[2A\r\033[J"));
    CHECK(contains(text, "* train"));
    CHECK(contains(text, "* distil"));
    CHECK_FALSE(contains(text, "175 %"));
    // Nothing remains to be erased: what was last written is the line that stays.
    CHECK(text.rfind("\033[1A\r\033[J* train") > text.rfind("* distil"));
}

TEST_CASE("bars fit into narrow terminals") {
    const std::string text = written({.interactive = true, .width = 60}, [](Progress& progress) {
        auto phase = progress.start("a label longer than the column for labels", 4);
        phase.note(std::string(200, 'x'));
        auto other = progress.start("b", 1);
    });
    std::size_t line = 0;
    for (const char c : text) {
        line = c == '\n' ? 0 : line + 1;
        CHECK(line < 70);  // 59 and the escape sequences
    }
}

TEST_CASE("threads may share it") {
    const std::string text = written({.interactive = true, .unicode = true}, [](Progress& progress) {
        auto all = progress.start("all", 4000);
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&progress, &all, t] {
                auto mine = progress.start("node-" + std::to_string(t), 1000, Progress::Keep::nothing);
                for (int i = 0; i < 1000; ++i) {
                    mine.advance();
                    all.advance();
                }
            });
        }
        for (auto& thread : threads)
            thread.join();
    });
    CHECK(contains(text, "\u2713 all"));
    CHECK_FALSE(contains(text, "\u2713 node-"));
}
