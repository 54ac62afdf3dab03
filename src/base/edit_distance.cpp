// In a file of its own, because the fuzz build does not instrument it (src/CMakeLists.txt).
#include <algorithm>
#include <vector>

#include <rts/base/text.hpp>

namespace rts {

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t insertion_cost) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j * insertion_cost;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + insertion_cost, replaced});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace rts
