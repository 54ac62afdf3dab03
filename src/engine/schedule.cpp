#include <algorithm>
#include <cassert>
#include <utility>

#include <rts/engine/schedule.hpp>

namespace rts {

void Schedule::hear(SettingsRevision revision) {
  const UnixMs last = current().from;
  assert(revision.effective_from > entries_.front().from);
  // What would begin with it or after it is never in force again.
  std::erase_if(entries_,
                [&](const InForce& entry) { return entry.from >= revision.effective_from; });
  if (entries_.size() > kMaxRevisions) entries_.erase(entries_.begin() + 1);
  entries_.push_back({++heard_, revision.effective_from, std::move(revision.parameters)});
  look_up(last);
}

void Schedule::look_up(UnixMs at) noexcept {
  const auto next =
      std::upper_bound(entries_.begin(), entries_.end(), at,
                       [](UnixMs time, const InForce& entry) { return time < entry.from; });
  current_ = static_cast<std::size_t>(next - entries_.begin()) - 1;
  from_ = entries_[current_].from;
  until_ = next == entries_.end() ? UnixMs::max() : next->from;
}

}  // namespace rts
