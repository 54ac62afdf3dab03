// Text as a zip archive, as zip programs pack it. For tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <minizip/zip.h>

#include "support/scratch_files.hpp"

namespace rts::test {

struct ZipPacking {
  bool is_stored = false;          // as it is
  bool is_zip64 = false;           // with the fields of files over 4 GiB
  const char* password = nullptr;  // none
};

// Members by name and content; a name that ends in '/' is a folder.
[[nodiscard]] inline std::string zip(
    const std::vector<std::pair<std::string, std::string>>& members, ZipPacking packing = {}) {
  const ScratchFiles files;
  const std::string path = files.path("archive.zip");
  const zipFile archive = ::zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  const int method = packing.is_stored ? 0 : Z_DEFLATED;
  for (const auto& [name, content] : members) {
    EXPECT_EQ(::zipOpenNewFileInZip3_64(archive, name.c_str(), nullptr, nullptr, 0, nullptr, 0,
                                        nullptr, method, Z_BEST_SPEED, 0, -MAX_WBITS, MAX_MEM_LEVEL,
                                        Z_DEFAULT_STRATEGY, packing.password, 0,
                                        packing.is_zip64 ? 1 : 0),
              ZIP_OK);
    EXPECT_EQ(::zipWriteInFileInZip(archive, content.data(), static_cast<unsigned>(content.size())),
              ZIP_OK);
    EXPECT_EQ(::zipCloseFileInZip(archive), ZIP_OK);
  }
  EXPECT_EQ(::zipClose(archive, nullptr), ZIP_OK);
  return read_file(path);
}

}  // namespace rts::test
