#pragma once

namespace unlearn::learning {

// BLAS packs what it multiplies into buffers that live as long as the process, and takes the first that no
// other thread is using. So products at the same time leave traces of their factors in several, and
// overwrite_blas_buffers() reaches only the first. A process that must overwrite what it forgets therefore
// lets one thread at a time multiply; a simulation, whose products should be fast, does not.

// For the whole process and everything in learning/. Switch it on before the first product.
void let_products_take_turns(bool on);

// Held by whatever multiplies for one batch or one chunk of rows: milliseconds, so that nobody waits long.
// Turns come in the order in which they were asked for. Does nothing while the switch is off. A thread may
// hold one only.
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
