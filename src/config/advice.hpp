// What is accepted, but hardly meant, as sentences. For load().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/config/settings.hpp>

namespace rts::config {

template <class... Arguments>
void say(std::vector<std::string>& sentences, fmt::format_string<Arguments...> format,
         Arguments&&... arguments) {
  sentences.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
}

// Why the venue's answer keeps the instrument from being traded, as a sentence's end; empty: it
// does not.
[[nodiscard]] std::string obstacle(const Settings& settings,
                                   const wire::ListedInstrument& instrument);

// Fills warnings and delivery_warnings of what else is known.
void advise(Configuration& configuration);

}  // namespace rts::config
