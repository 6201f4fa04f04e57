#pragma once

#include <filesystem>
#include <string>

#include <ATen/ATen.h>
#include <torch/script.h>

namespace unlearn::testing {

/// What `torch.jit.save` would write: tells the four clusters of `write_data` apart by the signs of x and y.
/// `before`: lines of its forward that come first, each with its indentation and its end.
inline void write_module(const std::filesystem::path& file, const std::string& before = "") {
    torch::jit::Module module("Users");
    module.register_parameter(
        "weight", at::tensor({-5.0F, -5.0F, 5.0F, -5.0F, -5.0F, 5.0F, 5.0F, 5.0F}).view({4, 2}), false);
    module.define("def forward(self, x):\n" + before +
                  "    return torch.matmul(x.flatten(1), self.weight.t())\n");
    module.save(file.string());
}

}  // namespace unlearn::testing
