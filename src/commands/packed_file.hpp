// A recording that is written: plain, or zstd where its name ends in .zst. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <zstd.h>

#include "commands/output.hpp"

namespace rts::commands {

class PackedFile {
 public:
  // `name`: what it is written as; its end decides.
  PackedFile(OutputFile file, std::string_view name);

  // Once something could not be written, the rest is passed over.
  void write(std::string_view text);
  // Hands over all that was written, so that others can read it.
  void flush();
  // Writes the end. False when anything was lost; of a file, that has been said.
  [[nodiscard]] bool finish();
  // The same, on the disk; what there is to be said is returned, as by OutputFile::end().
  [[nodiscard]] std::string end_on_disk();
  [[nodiscard]] bool failed() const noexcept { return file_.failed(); }
  // As they are stored.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void pack(std::string_view text, ZSTD_EndDirective directive);
  void put(std::string_view stored) noexcept;

  OutputFile file_;
  std::unique_ptr<ZSTD_CStream, std::size_t (*)(ZSTD_CStream*)> stream_;  // null: plain
  std::string packed_;
  std::uint64_t bytes_ = 0;
};

}  // namespace rts::commands
