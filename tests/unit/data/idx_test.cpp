#include "node/learning/data/idx.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

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
std::string error_for(const Bytes& image_bytes, const Bytes& label_bytes,
                      const std::vector<std::string>& classes = {}) {
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
    CHECK(plain->labels == std::vector<std::int64_t>{0, 1});
    CHECK(plain->class_names == std::vector<std::string>{"0", "3"});
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
    CHECK(mentions(error_for(images(2), labels({0, 9}), {"shirt", "bag"}),
                   "/l: label 9 of item 1 is none of "));
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

TEST_CASE("labels are the names of classes where those are numbers, and else their places") {
    const unlearn::testing::TemporaryFolder folder;
    const auto loaded = [&](const Bytes& values, const std::vector<std::string>& classes) {
        return load_idx(folder.write("i", images(static_cast<std::uint32_t>(values.size()))),
                        folder.write("l", labels(values)), classes);
    };
    // EMNIST letters are numbered from 1, and other sets leave numbers out.
    CHECK(loaded({26, 1}, {"1", "26"})->labels == std::vector<std::int64_t>{1, 0});
    CHECK(loaded({4, 2, 4}, {})->class_names == std::vector<std::string>{"2", "4"});
    CHECK(loaded({4, 2, 10}, {})->labels == std::vector<std::int64_t>{1, 0, 2});
    CHECK(mentions(loaded({0, 1}, {"1", "2"}).error().message,
                   "label 0 of item 0 is none of the 2 classes 1, 2"));
    CHECK(loaded({0, 1}, {"shirt", "bag"})->labels == std::vector<std::int64_t>{0, 1});
    CHECK(mentions(loaded({2}, {"shirt", "bag"}).error().message, "label 2 of item 0"));
}

TEST_CASE("images with channels last become images with channels first") {
    const auto four = [](const std::vector<std::uint32_t>& sizes) {
        Bytes bytes;
        put_word(bytes, 0x804);
        std::uint32_t total = 1;
        for (const std::uint32_t size : sizes) {
            put_word(bytes, size);
            total *= size;
        }
        for (std::uint32_t i = 0; i < total; ++i)
            bytes.push_back(static_cast<std::uint8_t>(i));
        return bytes;
    };
    const auto read = [](const Bytes& bytes) { return parse_idx_images("x", bytes).value(); };
    const auto last = read(four({2, 5, 6, 3}));
    CHECK(last.count == 2);
    CHECK(last.shape == InputShape{3, 5, 6});
    // Pixel (row 1, column 2) of the second image: its three channels stood side by side.
    const std::size_t place = 6 + 2;
    for (std::size_t channel = 0; channel < 3; ++channel)
        CHECK(last.pixels[(3 + channel) * 30 + place] == static_cast<std::uint8_t>(90 + place * 3 + channel));
    CHECK(read(four({2, 8, 8, 1})).shape == InputShape{1, 8, 8});
    CHECK(read(four({2, 8, 8, 4})).shape == InputShape{4, 8, 8});
    const auto first = read(four({2, 3, 5, 6}));
    CHECK(first.shape == InputShape{3, 5, 6});
    CHECK(first.pixels[17] == 17);
    CHECK(read(four({2, 1, 8, 8})).shape == InputShape{1, 8, 8});
    CHECK(read(four({2, 3, 8, 3})).shape == InputShape{3, 8, 3});
    CHECK(read(four({2, 16, 5, 6})).shape == InputShape{16, 5, 6});
    CHECK_FALSE(parse_idx_images("x", four({2, 2}) /* says 4 dimensions */));
}

TEST_CASE(
    "a folder as it was downloaded is read: folders for files, names with something before, other files") {
    const auto bytes_of = [](std::uint32_t count) { return images(count); };
    const unlearn::testing::TemporaryFolder folder;
    const auto make = [&](const std::string& name) {
        std::filesystem::create_directories(folder.path() / name);
        return folder.path() / name;
    };
    const auto put = [&](const std::string& place, const std::string& part, std::uint32_t count) {
        folder.write(place + "images" + part, bytes_of(count));
        folder.write(place + "labels" + part, labels(Bytes(count, 1)));
    };
    // Kaggle's MNIST: a file with a dot beside a folder with a dash.
    make("train-images-idx3-ubyte");
    make("train-labels-idx1-ubyte");
    put("train-", ".idx", 3);
    put("t10k-", "-idx", 2);
    folder.write("train-images.png", Bytes{1, 2, 3});
    auto data = load_idx_folder(folder.path());
    REQUIRE_MESSAGE(data, data.error().message);
    CHECK(data->train.count == 3);
    // Only the folders are left.
    std::filesystem::remove(folder.path() / "train-images.idx");
    std::filesystem::remove(folder.path() / "train-labels.idx");
    CHECK_FALSE(load_idx_folder(folder.path()));
    folder.write("train-images-idx3-ubyte/train-images-idx3-ubyte", bytes_of(5));
    folder.write("train-labels-idx1-ubyte/train-labels-idx1-ubyte", labels(Bytes(5, 1)));
    data = load_idx_folder(folder.path());
    REQUIRE_MESSAGE(data, data.error().message);
    CHECK(data->train.count == 5);

    const unlearn::testing::TemporaryFolder emnist;
    for (const char* name :
         {"emnist-letters-train-images-idx3-ubyte", "emnist-letters-test-images-idx3-ubyte"})
        emnist.write(name, bytes_of(4));
    for (const char* name :
         {"emnist-letters-train-labels-idx1-ubyte", "emnist-letters-test-labels-idx1-ubyte"})
        emnist.write(name, labels({1, 2, 3, 2}));
    data = load_idx_folder(emnist.path());
    REQUIRE_MESSAGE(data, data.error().message);
    CHECK(data->test.class_names == std::vector<std::string>{"1", "2", "3"});
    emnist.write("emnist-digits-train-images-idx3-ubyte", bytes_of(4));
    CHECK(mentions(load_idx_folder(emnist.path()).error().message, "could both be train-images"));
    // A plain file and its gzipped twin are one.
    emnist.write("train-images-idx3-ubyte", bytes_of(4));
    emnist.write("train-images-idx3-ubyte.gz", gzipped(bytes_of(4)));
    CHECK(load_idx_folder(emnist.path()));
}
