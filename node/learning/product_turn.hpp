#pragma once

namespace unlearn::learning {

// BLAS packs the matrices that it multiplies into buffers that live as long as the process, and takes the
// first buffer that no other thread is using. Simultaneous products therefore leave traces of their factors
// in several buffers, and overwrite_blas_buffers() reaches only the first. A process that must overwrite what
// it forgets lets one thread at a time multiply. A simulation does not, because its products should be fast.

/// Switches turns on or off for everything in learning/ and the whole process. Call it before the first
/// product.
void let_products_take_turns(bool on);

/// The turn of one thread to multiply. Hold it for one batch or one chunk of rows; that takes milliseconds,
/// so no thread waits long. Turns are granted in the order of the requests. Does nothing while turns are
/// switched off. A thread may hold only one.
class ProductTurn {
  public:
    ProductTurn();
    ~ProductTurn();
    ProductTurn(const ProductTurn&) = delete;
    ProductTurn& operator=(const ProductTurn&) = delete;

  private:
    bool held_;
};

}  // namespace unlearn::learning
