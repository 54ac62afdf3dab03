// Counts calls of operator new. The global allocation functions are replaced for the whole
// executable; they add a count and are otherwise malloc and free, which the sanitizers watch as
// well. To be included by exactly one file of an executable: it defines them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace rts::test {
namespace {

std::atomic<std::uint64_t> allocation_count{0};

void* counted(std::size_t size, std::size_t alignment) noexcept {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (size == 0) size = 1;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* counted_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = counted(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Not inlined: GCC would take free() of what operator new returned for a mistake.
[[gnu::noinline]] void release(void* memory) noexcept { std::free(memory); }

constexpr std::size_t kPlain = alignof(std::max_align_t);

// Calls of operator new, in whatever form, since the start.
std::uint64_t allocations() noexcept { return allocation_count.load(); }

}  // namespace
}  // namespace rts::test

void* operator new(std::size_t size) {
  return rts::test::counted_or_throw(size, rts::test::kPlain);
}
void* operator new[](std::size_t size) {
  return rts::test::counted_or_throw(size, rts::test::kPlain);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return rts::test::counted_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return rts::test::counted_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return rts::test::counted(size, rts::test::kPlain);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return rts::test::counted(size, rts::test::kPlain);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return rts::test::counted(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return rts::test::counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { rts::test::release(memory); }
void operator delete[](void* memory) noexcept { rts::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { rts::test::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { rts::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { rts::test::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { rts::test::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  rts::test::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  rts::test::release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { rts::test::release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { rts::test::release(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  rts::test::release(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  rts::test::release(memory);
}
