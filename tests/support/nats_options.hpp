// Options of nats.c for the clients of tests.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <nats/nats.h>

namespace rts::test {

// One address, or a comma list, which is tried in its order.
inline void set_addresses(natsOptions* options, const std::string& urls) {
  std::vector<std::string> addresses;
  for (std::size_t begin = 0; begin <= urls.size();) {
    const std::size_t end = std::min(urls.find(',', begin), urls.size());
    addresses.push_back(urls.substr(begin, end - begin));
    begin = end + 1;
  }
  std::vector<const char*> texts;
  for (const std::string& address : addresses) texts.push_back(address.c_str());
  natsOptions_SetServers(options, texts.data(), static_cast<int>(texts.size()));
  natsOptions_SetNoRandomize(options, true);
}

}  // namespace rts::test
