// For a target that makes an engine or a reader for each input: their buffers are megabytes, and
// ASan would map, mark and unmap them each time, which takes longer than all the rest. So the large
// blocks that one gives back are kept for the next that asks for as many bytes; what stands around
// them stays marked, and small blocks are as ever. To be included once, by the target's only file:
// it replaces operator new and delete of the program. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace rts::fuzz {

struct Block {
  void* memory = nullptr;
  std::size_t size = 0;
  bool is_used = false;
};

class KeptBlocks {
 public:
  static void* take(std::size_t size) {
    if (size < kLargeBytes) return std::malloc(size);
    Block* free_place = nullptr;
    for (Block& block : blocks_) {
      if (block.memory == nullptr) free_place = &block;
      if (block.memory == nullptr || block.is_used || block.size != size) continue;
      block.is_used = true;
      return block.memory;
    }
    void* const memory = std::malloc(size);
    if (free_place != nullptr) *free_place = {memory, size, true};
    return memory;
  }

  static void give_back(void* memory) {
    if (memory == nullptr) return;
    for (Block& block : blocks_) {
      if (block.memory != memory) continue;
      block.is_used = false;
      return;
    }
    std::free(memory);
  }

 private:
  static constexpr std::size_t kLargeBytes = std::size_t{64} << 10U;
  static inline std::array<Block, 32> blocks_;
};

inline void* taken(std::size_t size) {
  void* const memory = KeptBlocks::take(size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace rts::fuzz

void* operator new(std::size_t size) { return rts::fuzz::taken(size); }
void* operator new[](std::size_t size) { return rts::fuzz::taken(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return rts::fuzz::KeptBlocks::take(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return rts::fuzz::KeptBlocks::take(size);
}
void operator delete(void* memory) noexcept { rts::fuzz::KeptBlocks::give_back(memory); }
void operator delete[](void* memory) noexcept { rts::fuzz::KeptBlocks::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept {
  rts::fuzz::KeptBlocks::give_back(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  rts::fuzz::KeptBlocks::give_back(memory);
}
