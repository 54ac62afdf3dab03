// A recording that is written: plain, or zstd where its name ends in .zst. One thread.
#pragma once

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
  // Writes the end. False when anything was lost; of a file, that has been said.
  [[nodiscard]] bool finish();
  [[nodiscard]] bool failed() const noexcept { return file_.failed(); }

 private:
  void pack(std::string_view text, ZSTD_EndDirective directive);

  OutputFile file_;
  std::unique_ptr<ZSTD_CStream, std::size_t (*)(ZSTD_CStream*)> stream_;  // null: plain
  std::string packed_;
};

}  // namespace rts::commands
