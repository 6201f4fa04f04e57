#include <doctest/doctest.h>
#include <zlib.h>

#include "node/learning/data/idx.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn::learning;
using Bytes = std::vector<std::uint8_t>;

void put_word(Bytes& bytes, std::uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(word >> shift));
}

Bytes images(std::uint32_t count, std::uint32_t height = 2, std::uint32_t width = 3) {
    Bytes bytes;
    for (const std::uint32_t word : {0x803U, count, height, width})
        put_word(bytes, word);
    for (std::uint32_t i = 0; i < count * height * width; ++i)
        bytes.push_back(static_cast<std::uint8_t>(i * 51));
    return bytes;
}

Bytes labels(const Bytes& values) {
    Bytes bytes;
    put_word(bytes, 0x801);
    put_word(bytes, static_cast<std::uint32_t>(values.size()));
    bytes.insert(bytes.end(), values.begin(), values.end());
    return bytes;
}

Bytes gzipped(const Bytes& plain) {
    const unlearn::testing::TemporaryFolder folder;
    const auto path = (folder.path() / "x.gz").string();
    gzFile file = gzopen(path.c_str(), "wb");
    REQUIRE(gzwrite(file, plain.data(), static_cast<unsigned>(plain.size())) ==
            static_cast<int>(plain.size()));
    gzclose(file);
    Bytes bytes(std::filesystem::file_size(path));
    FILE* raw = std::fopen(path.c_str(), "rb");
    REQUIRE(std::fread(bytes.data(), 1, bytes.size(), raw) == bytes.size());
    std::fclose(raw);
    return bytes;
}

// The error message for these two files, or "" if they were read.
std::string error_for(const Bytes& image_bytes, const Bytes& label_bytes, std::int64_t classes = 0) {
    const unlearn::testing::TemporaryFolder folder;
    const auto data = load_idx(folder.write("i", image_bytes), folder.write("l", label_bytes), classes);
    return data ? "" : data.error().message;
}

bool mentions(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("plain and gzipped IDX files give the same examples, scaled to [0, 1]") {
    const unlearn::testing::TemporaryFolder folder;
    const auto plain = load_idx(folder.write("i", images(2)), folder.write("l", labels({0, 3})));
    REQUIRE(plain);
    CHECK(plain->count == 2);
    CHECK(plain->shape == InputShape{1, 2, 3});
    CHECK(plain->labels == std::vector<std::int64_t>{0, 3});
    CHECK(plain->class_names == std::vector<std::string>{"0", "1", "2", "3"});
    CHECK(plain->features[5] == 1.0F);
    CHECK(plain->features[1] == doctest::Approx(0.2));
    const auto packed =
        load_idx(folder.write("i.gz", gzipped(images(2))), folder.write("l.gz", gzipped(labels({0, 3}))));
    REQUIRE(packed);
    CHECK(packed->features == plain->features);
}

TEST_CASE("a damaged IDX file gives one line that names it") {
    CHECK(error_for(images(2), labels({0, 1})).empty());

    Bytes wrong_magic = images(2);
    wrong_magic[0] = 1;
    CHECK(mentions(error_for(wrong_magic, labels({0, 1})), "/i: is not an IDX file"));
    Bytes wrong_type = images(2);
    wrong_type[2] = 0x0d;
    CHECK(mentions(error_for(wrong_type, labels({0, 1})), "not unsigned bytes"));
    CHECK(mentions(error_for(labels({0, 1}), labels({0, 1})), "1 IDX dimensions"));
    CHECK(mentions(error_for(images(2), images(2)), "/l: has 3 IDX dimensions"));

    Bytes cut = images(2);
    cut.pop_back();
    CHECK(mentions(error_for(cut, labels({0, 1})), "ends after 11 of 12"));
    CHECK(mentions(error_for(Bytes{0, 0, 8}, labels({0, 1})), "ends inside the IDX header"));
    Bytes extra = images(2);
    extra.push_back(0);
    CHECK(mentions(error_for(extra, labels({0, 1})), "more than the 12 announced"));

    CHECK(mentions(error_for(images(2), labels({0, 1, 1})), "holds 2 images"));
    CHECK(mentions(error_for(images(2), labels({0, 9}), 9), "/l: label 9 of item 1"));
    CHECK(mentions(error_for(Bytes{}, labels({0})), "/i: ends inside"));
}

TEST_CASE("a cut-off or damaged gzip stream is an error, not a short data set") {
    Bytes cut = gzipped(images(200));
    cut.resize(cut.size() - 12);
    CHECK(mentions(error_for(cut, labels(Bytes(200, 1))), "/i: "));
    Bytes damaged = gzipped(images(200));
    damaged[damaged.size() - 6] ^= 0xff;  // inside the checksum
    CHECK(mentions(error_for(damaged, labels(Bytes(200, 1))), "/i: "));
}

TEST_CASE("announced sizes are not believed before the bytes arrive") {
    Bytes huge;
    for (const std::uint32_t word : {0x803U, 0xffffffffU, 0xffffffffU, 0xffffffffU})
        put_word(huge, word);
    CHECK(mentions(error_for(huge, labels({0})), "announces more than 1 GiB"));
    Bytes large;
    for (const std::uint32_t word : {0x803U, 1U << 20, 32U, 31U})
        put_word(large, word);
    CHECK(mentions(error_for(large, labels({0})), "ends after 0 of"));
    Bytes empty;
    for (const std::uint32_t word : {0x803U, 0U, 28U, 28U})
        put_word(empty, word);
    CHECK(mentions(error_for(empty, labels({0})), "dimension 1 is 0"));
}

TEST_CASE("a folder is read by the names of its files, and says what it lacks") {
    const unlearn::testing::TemporaryFolder folder;
    folder.write("train-images-idx3-ubyte.gz", gzipped(images(3)));
    folder.write("train-labels-idx1-ubyte.gz", gzipped(labels({0, 1, 2})));
    CHECK(mentions(load_idx_folder(folder.path()).error().message, "no file named t10k-images*"));
    folder.write("t10k-images-idx3-ubyte", images(1));
    folder.write("t10k-labels-idx1-ubyte", labels({1}));
    const auto data = load_idx_folder(folder.path());
    REQUIRE(data);
    CHECK(data->train.count == 3);
    CHECK(data->test.class_names.size() == 3);
    folder.write("t10k-labels-idx1-ubyte", labels({3}));
    CHECK_FALSE(load_idx_folder(folder.path()));
    CHECK_FALSE(load_idx_folder(folder.path() / "missing"));
    CHECK_FALSE(load_idx(folder.path(), folder.path()));
}
